"""What a model scored on a data set, and what it wrote there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seq2see.data.pairs import Pair
from seq2see.decode.translate import Translation, Translator
from seq2see.evaluate.metrics import Score
from seq2see.evaluate.significance import Comparison


@dataclass(frozen=True)
class Evaluation:
    """What a model scored on a data set.

    Args:
        scores: one a metric, the deciding one first.
        unknown_share: the fraction of source pieces never seen in training.
        blank: pairs without text on either side; they are not scored.
        unfinished: how many of the outputs reached the length limit without an end mark.
        comparisons: the difference to another model and whether it is significant, one a metric;
            empty where there was no other model.
        outputs: what the model wrote, one a distinct source, or one a line where each line counts.
    """

    scores: tuple[Score, ...]
    unknown_share: float
    blank: int
    unfinished: int
    comparisons: tuple[Comparison, ...]
    outputs: tuple[str, ...]

    def __getitem__(self, metric: str) -> Score:
        """Returns the score of that metric."""
        return {score.metric: score for score in self.scores}[metric]


@dataclass(frozen=True)
class Answers:
    """The best translation of each source of an examination.

    Args:
        best: one a source, in order.
    """

    best: tuple[Translation, ...]

    @classmethod
    def of(cls, translator: Translator, sources: Sequence[Pair]) -> Answers:
        """Decodes every distinct source once, features counted as part of the source."""
        keys = [(pair.source, pair.features) for pair in sources]
        distinct = dict(zip(keys, sources, strict=True))
        found = translator.translate(list(distinct.values()))
        answer = {key: nbest[0] for key, nbest in zip(distinct, found, strict=True)}
        return cls(tuple(answer[key] for key in keys))

    @property
    def texts(self) -> list[str]:
        """What was written."""
        return [one.text for one in self.best]

    @property
    def unknown_share(self) -> float:
        """The fraction of source pieces never seen in training."""
        # The end mark is no piece that could be unknown.
        pieces = [max(0, len(one.source_tokens) - 1) for one in self.best]
        unseen = sum(one.unknown_share * n for one, n in zip(self.best, pieces, strict=True))
        return unseen / max(1, sum(pieces))

    @property
    def unfinished(self) -> int:
        """How many reached the length limit without an end mark."""
        return sum(not one.finished for one in self.best)
