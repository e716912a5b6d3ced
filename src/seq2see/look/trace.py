"""Every value of a network while it is forced along targets, with its tokens and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from seq2see.config import nearest
from seq2see.data.rows import Texts
from seq2see.data.tokenizers import PAD, SPECIALS, START
from seq2see.decode.score import Given
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.capture import Captured, capture, gradients, whole
from seq2see.look.forced import force
from seq2see.look.names import Site, only, sites
from seq2see.nn.recurrent import reverse

Tokens = tuple[tuple[str, ...], ...]


class Values(dict[str, Tensor]):
    """Tensors by the names of their taps; a wrong name is answered with the nearest right one."""

    def __missing__(self, name: str) -> Tensor:
        if not self:
            raise ConfigError(
                "no gradient was taken", where=name, mend="Trace once more with grad=True"
            )
        raise ConfigError("no value of that name", where=name, mend=nearest(name, self))


@dataclass(frozen=True, eq=False)
class Trace:
    """What passed inside a network while it was forced along targets (teacher forcing).

    Values are float32 on the CPU. Rows are pairs, padded on the right to the longest of each side;
    what stands at padding means nothing: `source_real` and `target_real` tell it, and `pair` leaves
    it out. Nothing is averaged; patterns are `[pair, head, query, key]`.

    A target position t is where the decoder has read `read[pair][t]` and predicts
    `target[pair][t]`: the cross-attention at t has not seen the token it helps to choose. A value
    that a recurrence passes once a step stands as `[pair, step, feature]`, and values of a backward
    cell, which reads from the last token to the first, are turned back: step t is position t.

    Args:
        values: each value by its name.
        grad: gradients of the pairs' log-likelihood by each value, where asked for.
        axes: what each dimension of a value counts, as `("pair", "head", "target", "source")`.
        source: pieces of each source: features, text, end mark.
        target: pieces of each target, its end mark included.
        source_real: False at padding of the sources.
        target_real: False at padding of the targets.
    """

    values: Values
    grad: Values
    axes: dict[str, tuple[str, ...]]
    source: Tokens
    target: Tokens
    source_real: Bool[Tensor, "pair source"] = field(repr=False)
    target_real: Bool[Tensor, "pair target"] = field(repr=False)

    def __len__(self) -> int:
        """Counts the pairs."""
        return len(self.source)

    def __getitem__(self, name: str) -> Tensor:
        """Returns the value of that name.

        Raises:
            ConfigError: there is none; the message gives the nearest name.
        """
        return self.values[name]

    def __repr__(self) -> str:
        return f"Trace({len(self)} pairs, {len(self.values)} values)"

    @property
    def read(self) -> Tokens:
        """What the decoder reads at each target position: start mark first, end mark never."""
        return tuple((SPECIALS[START], *tokens[:-1]) for tokens in self.target)

    def names(self) -> dict[str, tuple[int, ...]]:
        """Lists every name with the shape of its value, in the network's order."""
        return {name: tuple(value.shape) for name, value in self.values.items()}

    def pair(self, i: int) -> Trace:
        """Returns the trace of one pair alone, without padding.

        Raises:
            IndexError: there is no pair of that number.
        """
        i = range(len(self))[i]
        extents = {
            "pair": slice(i, i + 1),
            "source": slice(len(self.source[i])),
            "target": slice(len(self.target[i])),
        }

        def cut(values: Values) -> Values:
            every = slice(None)
            return Values(
                (name, value[tuple(extents.get(axis, every) for axis in self.axes[name])])
                for name, value in values.items()
            )

        return Trace(
            cut(self.values),
            cut(self.grad),
            self.axes,
            (self.source[i],),
            (self.target[i],),
            self.source_real[extents["pair"], extents["source"]],
            self.target_real[extents["pair"], extents["target"]],
        )


def trace(
    translator: Translator,
    texts: Texts,
    targets: str | Sequence[str] | None = None,
    *,
    grad: bool = False,
) -> Trace:
    r"""Forces a model along targets and keeps every value that passes a tap.

    With `grad`, also the gradient of $\sum_t \ln p(y_t \mid y_{<t}, x)$, the sum over the real
    tokens of a pair's target, by every value; by the embeddings as `source.tokens` and
    `target.tokens`.

    Args:
        translator: the model; its options decide how it searches where no target is given.
        texts: the sources.
        targets: one a source. None takes each `Pair`'s own target and, where there is none, the
            best output of the model.
        grad: whether gradients are taken.

    Raises:
        ConfigError: the model is an ensemble; look into its members one by one.
        DataError: there is no source.
        DecodingError: there are not as many targets as sources.
    """
    network = only(translator.network)
    forced = force(translator, texts, targets)
    given = forced.together(network)
    known = sites(network)
    captured, logits = capture(network, given, known.values(), grad=grad)
    passed = {name: known[name] for name, values in captured.items() if values}
    return Trace(
        _joined(passed, captured, given),
        _joined(passed, _gradients(captured, logits, given), given) if grad else Values(),
        {name: site.axes for name, site in passed.items()},
        forced.source_tokens,
        forced.target_tokens,
        given.real.cpu(),
        (given.wanted != PAD).cpu(),
    )


def _gradients(captured: Captured, logits: Tensor, given: Given) -> Captured:
    every = [value for values in captured.values() for value in values]
    with gradients(True):
        total = log_likelihood(logits, given.wanted).sum()
        # A value that nothing reads, as the last states of a layer's idle direction, has zeros.
        found = iter(torch.autograd.grad(total, every, materialize_grads=True))
    return {name: [next(found) for _ in values] for name, values in captured.items()}


def log_likelihood(logits: Tensor, wanted: Int[Tensor, "pair target"]) -> Tensor:
    """Sums the log-probabilities of each pair's real target tokens, in nats."""
    each = logits.log_softmax(-1).gather(-1, wanted[..., None]).squeeze(-1)
    return each.masked_fill(wanted == PAD, 0.0).sum(1)


def _joined(passed: dict[str, Site], captured: Captured, given: Given) -> Values:
    lengths = given.real.sum(1)

    def joined(name: str, site: Site) -> Tensor:
        value = whole(site, captured[name]).detach()
        return (reverse(value, lengths) if site.backwards else value).float().cpu()

    return Values((name, joined(name, site)) for name, site in passed.items())
