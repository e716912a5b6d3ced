"""A trained model with thin methods; what they do stands in the packages below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from seq2see.api.device import device_named
from seq2see.api.evaluation import Answers, Evaluation
from seq2see.api.heads import Heads
from seq2see.bundle.folder import Bundle
from seq2see.bundle.folder import load as load_bundle
from seq2see.data.pairs import Columns, Pair
from seq2see.data.rows import Texts, as_pairs
from seq2see.decode.options import SearchOptions
from seq2see.decode.shortlist import FREQUENT, LIKELY, learn_shortlist
from seq2see.decode.translate import Translation, Translator
from seq2see.errors import BundleError, ConfigError
from seq2see.evaluate.significance import Comparison, compare
from seq2see.recipe.folder import TrainingFolder
from seq2see.recipe.intake import strict_pairs
from seq2see.recipe.judging import examine_by, search_options
from seq2see.recipe.sections import Recipe


class Model(Heads):
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

    def held_out(self) -> list[Pair]:
        """Returns the pairs that the (first) model was judged by while it was trained.

        Raises:
            ConfigError: its folder lacks `training`, where they are kept.
        """
        folder = self.bundles[0].folder
        run = None if folder is None else TrainingFolder(folder)
        if run is None or not run.has_dev:
            raise ConfigError(
                "the pairs that judged the training are not beside the model",
                where="data" if folder is None else str(folder),
                mend="Give data=, sources or pairs",
            )
        return run.dev()

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
            shortlist=self.bundles[0].shortlist,
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

    def learn_shortlist(
        self,
        data: str | PathLike[str] | Sequence[Pair],
        columns: str = "",
        *,
        frequent: int = FREQUENT,
        likely: int = LIKELY,
    ) -> Model:
        """Returns a model that can search among the target tokens that a source may need.

        Such a search is asked for by `shortlist=True`. It is faster and no longer exact.

        Args:
            data: the pairs the model was trained on, or others like them.
            columns: where source, target and features stand in a TSV; empty: as in training.
            frequent: how many of the most frequent target tokens every source may use.
            likely: how many more each source token adds, the most probable ones.

        Raises:
            ConfigError: the target vocabulary is so small that nothing would be left out; search
                without a shortlist.
        """
        pairs = self.read(data, columns)
        learnt = learn_shortlist(self.bundles[0].tokenizers, pairs, frequent, likely)
        return Model([replace(bundle, shortlist=learnt) for bundle in self.bundles])

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
        each_line: bool = False,
        **options: Any,
    ) -> Evaluation:
        """Decodes every distinct source once and scores the outputs.

        A source that stands on several lines counts once, with all of their targets as references;
        under `each_line`, every line counts once, against its own target.

        Args:
            data: a data file, or pairs.
            metrics: names out of `seq2see.evaluate.metrics.METRICS`; empty: those that suit the
                task.
            columns: where source, target and features stand in a TSV; empty: as in training.
            against: another model, for a paired significance test.
            each_line: whether lines count, as for corpora of running text cut into tokens.
            options: changes to the search.
        """
        pairs = self.read(data, columns)
        examination = examine_by(pairs, metrics, each_line=each_line)
        found = Answers.of(self.translator(**options), examination.sources)
        comparisons: list[Comparison] = []
        scores = examination.score(found.texts)
        if against is not None:
            other = Answers.of(against.translator(**options), examination.sources).texts
            comparisons = compare(other, found.texts, examination.references, examination.metrics)
        return Evaluation(
            scores=tuple(scores),
            unknown_share=found.unknown_share,
            blank=examination.blank,
            unfinished=found.unfinished,
            comparisons=tuple(comparisons),
            outputs=tuple(found.texts),
        )

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

    Args:
        paths: folders of models.
        device: where to compute: `cpu`, `cuda`, `cuda:1`, …, or `auto`.

    Raises:
        BundleError: a file of a bundle is missing, damaged or foreign; the message names it.
        ConfigError: there is no such device.
    """
    names = [part for path in paths for part in _parts(str(path))]
    if not names or "" in names:
        raise BundleError(
            "a model without a name" if names else "no model is named",
            mend="Give the folder of a model, or of several with a comma between them",
        )
    where = device_named(device)
    return Model([load_bundle(folder, where) for folder in map(Path, names)])


def _parts(path: str) -> list[str]:
    return [path] if Path(path).exists() else [part.strip() for part in path.split(",")]
