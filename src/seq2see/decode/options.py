"""How to search: everything a user may choose about decoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from seq2see.errors import ConfigError
from seq2see.nn.precision import Arithmetic


@dataclass(frozen=True)
class SearchOptions:
    """The choices of a search.

    Args:
        beam: hypotheses followed at a time; 1 is greedy search. Sampling ignores it.
        nbest: hypotheses wanted of each source: the best of the beam, or as many samples.
        length_penalty: the power A in `score / length ** A`; see `Hypothesis.normalised`.
        max_length: tokens of a target at most, prefix and end mark counted. None allows what the
            source and the training data give (`seq2see.decode.translate.length_limit`), and the
            prefix on top.
        no_repeat_ngram: no n-gram of this many tokens stands twice in a target; 0 allows it.
        sample: whether tokens are drawn at random instead of searched for.
        temperature: divides the logits before drawing; below 1 sharpens the distribution.
        top_k: draw from the k most probable tokens alone; 0 draws from all.
        top_p: draw from the most probable tokens that together reach this probability.
        seed: of the draws; each line's own random numbers derive from this and its number.
        batch_tokens: what is decoded side by side, in padded source tokens times hypotheses.
        strict: whether a source longer than all seen in training is refused; otherwise it is
            translated like any other.
        alignments: whether hypotheses carry their attention pattern.
        precision: what the network computes in, see `seq2see.nn.precision.cast`. Only float32 gives
            exactly what the bundle's weights say.
        workers: groups of sources that are decoded at a time, each in a thread of its own; 0 is as
            many as torch has threads. The outputs depend on it by rounding at most.
        shortlist: whether each source is translated to the tokens on its shortlist alone, which
            the model must have learnt (`Model.learn_shortlist`). Probabilities are shared out
            among those, so that a given output scores higher.

    Raises:
        ConfigError: a value is out of its range, or more hypotheses are wanted than the beam holds.
    """

    beam: int = 5
    nbest: int = 1
    length_penalty: float = 1.0
    max_length: int | None = None
    no_repeat_ngram: int = 0
    sample: bool = False
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1
    batch_tokens: int = 8192
    strict: bool = False
    alignments: bool = False
    precision: Arithmetic = "float32"
    workers: int = 0
    shortlist: bool = False

    def __post_init__(self) -> None:
        for name in ("beam", "nbest", "max_length", "batch_tokens"):
            value = getattr(self, name)
            if value is not None:
                _check(name, value, value >= 1, "1 or more")
        for name in ("no_repeat_ngram", "top_k", "seed", "workers"):
            _check(name, getattr(self, name), getattr(self, name) >= 0, "0 or more")
        for name in ("length_penalty", "temperature", "top_p"):
            value = getattr(self, name)
            _check(name, value, abs(value) < float("inf"), "a finite number")
        _check("length_penalty", self.length_penalty, self.length_penalty >= 0, "0 or more")
        _check("temperature", self.temperature, self.temperature > 0, "a number above 0")
        _check("top_p", self.top_p, 0 < self.top_p <= 1, "a probability above 0, up to 1")
        known = get_args(Arithmetic)
        _check("precision", self.precision, self.precision in known, ", ".join(known))
        if not self.sample and self.nbest > self.beam:
            raise ConfigError(
                f"{self.nbest} hypotheses wanted of a beam of {self.beam}",
                where="nbest",
                mend=f"Set beam to {self.nbest} or more, or sample",
            )

    @property
    def width(self) -> int:
        """Hypotheses of one source that are decoded at a time."""
        return self.nbest if self.sample else self.beam


def _check(name: str, value: object, right: bool, expected: str) -> None:
    if not right:
        raise ConfigError(f"found {value}", expected=expected, where=name)
