"""A trained model with thin methods; what they do stands in the packages below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from seq2see.bundle.folder import Bundle
from seq2see.bundle.folder import load as load_bundle
from seq2see.data.pairs import Columns, Pair
from seq2see.decode.options import SearchOptions
from seq2see.decode.translate import Translation, Translator
from seq2see.errors import BundleError, ConfigError
from seq2see.evaluate.metrics import Score
from seq2see.evaluate.significance import Comparison, compare
from seq2see.recipe.intake import strict_pairs
from seq2see.recipe.judging import Examination, search_options
from seq2see.recipe.run import examine_by
from seq2see.recipe.sections import Recipe

Texts = str | Sequence[str | Pair]


@dataclass(frozen=True)
class Evaluation:
    """What a model scored on a data set.

    Args:
        scores: one a metric, the deciding one first.
        unknown_share: the fraction of source pieces never seen in training.
        comparisons: the difference to another model and whether it is significant, one a metric;
            empty where there was no other model.
        outputs: what the model wrote, one a distinct source.
    """

    scores: tuple[Score, ...]
    unknown_share: float
    comparisons: tuple[Comparison, ...]
    outputs: tuple[str, ...]

    def __getitem__(self, metric: str) -> Score:
        """Returns the score of that metric."""
        return {score.metric: score for score in self.scores}[metric]


class Model:
    """A trained model, or an ensemble of several with the same vocabularies.

    Args:
        bundles: the opened bundles; the first one's recipe decides how they decode.

    Raises:
        BundleError: members of an ensemble have different vocabularies; train them on the same
            data.
    """

    def __init__(self, bundles: Sequence[Bundle]) -> None:
        self.bundles = tuple(bundles)
        first = self.bundles[0].tokenizers
        for other in self.bundles[1:]:
            if (other.tokenizers.source.to_json(), other.tokenizers.target.to_json()) != (
                first.source.to_json(),
                first.target.to_json(),
            ):
                raise BundleError(
                    "the models of an ensemble cut text into different tokens",
                    mend="Train them on the same data with different seeds",
                )

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe the (first) model was trained by."""
        return Recipe.from_tree(self.bundles[0].recipe)

    @property
    def network(self) -> Any:
        """The (first) network, a `torch.nn.Module` whose taps can be hooked."""
        return self.bundles[0].network

    @property
    def scores(self) -> dict[str, Any]:
        """What the (first) model scored when it was made."""
        return self.bundles[0].scores

    def translator(self, **options: Any) -> Translator:
        """Returns the text-to-text search of this model.

        Args:
            options: changes to the recipe's own search, by the names of `SearchOptions`.
        """
        facts = self.scores.get("training", {})
        return Translator(
            [bundle.network for bundle in self.bundles],
            self.bundles[0].tokenizers,
            self.options(**options),
            longest_source=int(facts.get("longest_source", 0)),
            target_ratio=float(facts.get("longest_ratio", 0.0)),
        )

    def options(self, **changes: Any) -> SearchOptions:
        """Returns the recipe's own search options, with changes.

        Raises:
            ConfigError: an option is unknown or out of its range.
        """
        names = SearchOptions.__dataclass_fields__
        for name in changes:
            if name not in names:
                raise ConfigError("unknown option", where=name, expected=", ".join(names))
        return search_options(self.recipe.decode, **changes)

    def translate(self, texts: Texts, **options: Any) -> list[str]:
        """Returns the best target of each source, in order; an empty source gives an empty target.

        Args:
            texts: sources, as text or as `Pair`s where they carry features.
            options: changes to the search, such as `beam=1`.
        """
        return [nbest[0].text for nbest in self.search(texts, **options)]

    def search(
        self, texts: Texts, prefixes: Sequence[str] | None = None, **options: Any
    ) -> list[list[Translation]]:
        """Returns the n-best list of each source with scores, tokens and alignments.

        Args:
            texts: sources, as text or as `Pair`s where they carry features.
            prefixes: what each target has to begin with.
            options: changes to the search, such as `nbest=5` or `alignments=True`.
        """
        return self.translator(**options).translate(as_pairs(texts), prefixes)

    def score(self, pairs: Sequence[Pair]) -> list[Translation]:
        """Scores given targets: log-probability, and that of every token, in nats."""
        return self.translator().score(pairs)

    def evaluate(
        self,
        data: str | PathLike[str] | Sequence[Pair],
        metrics: Sequence[str] = (),
        *,
        columns: str = "",
        against: Model | None = None,
        **options: Any,
    ) -> Evaluation:
        """Decodes every distinct source and scores the outputs against all of its references.

        Args:
            data: a data file, or pairs.
            metrics: names out of `seq2see.evaluate.metrics.METRICS`; empty: those that suit the
                task.
            columns: where source, target and features stand in a TSV; empty: as in training.
            against: another model, for a paired significance test.
            options: changes to the search.
        """
        pairs = self.read(data, columns)
        examination = examine_by(pairs, metrics)
        best, unknown = _decode(self, examination, options)
        scores = examination.score(best)
        comparisons: list[Comparison] = []
        if against is not None:
            other, _ = _decode(against, examination, options)
            comparisons = compare(other, best, examination.references, examination.metrics)
        return Evaluation(tuple(scores), unknown, tuple(comparisons), tuple(best))

    def read(self, data: str | PathLike[str] | Sequence[Pair], columns: str = "") -> list[Pair]:
        """Reads pairs to score; every one needs a target.

        Raises:
            DataError: a file or line cannot be read, or there is no pair.
        """
        if isinstance(data, (str, PathLike)):
            return strict_pairs(str(data), Columns.parse(columns or self.recipe.data.columns))
        return list(data)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the model to a folder, from which `load` reads it.

        Raises:
            BundleError: the folder cannot be written; or the model is an ensemble, whose members
                are saved one by one.
        """
        if len(self.bundles) > 1:
            raise BundleError(
                "an ensemble is no single model",
                mend="Save each of its `bundles`, and load them together",
            )
        self.bundles[0].save(Path(path))


def load(*paths: str | PathLike[str], device: str = "cpu") -> Model:
    """Opens a saved model; several paths, or one with commas, make an ensemble.

    Raises:
        BundleError: a file of a bundle is missing, damaged or foreign; the message names it.
    """
    folders = [Path(part) for path in paths for part in _parts(str(path))]
    if not folders:
        raise BundleError("no model is named", mend="Give the folder of a model, or several")
    return Model([load_bundle(folder, device) for folder in folders])


def _parts(path: str) -> list[str]:
    return [path] if Path(path).exists() else path.split(",")


def as_pairs(texts: Texts) -> list[Pair]:
    """Turns plain texts into sources with line numbers."""
    if isinstance(texts, str):
        texts = [texts]
    return [
        text if isinstance(text, Pair) else Pair(text, "", (), line)
        for line, text in enumerate(texts, 1)
    ]


def _decode(
    model: Model, examination: Examination, options: dict[str, Any]
) -> tuple[list[str], float]:
    found = model.search(examination.sources, **options)
    # The end mark is no piece that could be unknown.
    pieces = [max(0, len(nbest[0].source_tokens) - 1) for nbest in found]
    unseen = sum(n[0].unknown_share * count for n, count in zip(found, pieces, strict=True))
    return [nbest[0].text for nbest in found], unseen / max(1, sum(pieces))
