"""One training run from draft to bundle."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seq2see.bundle.folder import Bundle, is_begun, load
from seq2see.config import Tree, parse
from seq2see.data.pairs import Pair
from seq2see.data.store import Store, Tokenizers
from seq2see.errors import ConfigError
from seq2see.evaluate.metrics import metric_named
from seq2see.nn.network import Network
from seq2see.nn.precision import cast
from seq2see.nn.settings import TransformerSettings
from seq2see.recipe import build
from seq2see.recipe.card import write_card
from seq2see.recipe.choose import choose
from seq2see.recipe.folder import TrainingFolder
from seq2see.recipe.intake import gather
from seq2see.recipe.judging import Examination, examine_by, outputs, put, search_options
from seq2see.recipe.sections import DataSettings, Recipe, seed_of
from seq2see.recipe.start import noted, started
from seq2see.recipe.survey import survey
from seq2see.train.distributed import join
from seq2see.train.journal import Journal, Observer
from seq2see.train.loop import Judge, Progress, Trainer


@dataclass(frozen=True)
class Run:
    """A run that is set up: its files stand in its folder, and it can start or go on.

    Args:
        recipe: the resolved recipe.
        tokenizers: both sides' tokenizers.
        dev: held-out pairs.
        store: the training pairs as ids.
        folder: where the run's files are.
        reasons: (setting, value, why) of every automatic choice; empty for a resumed run.
        notes: what was left out of the data.
    """

    recipe: Recipe
    tokenizers: Tokenizers
    dev: list[Pair]
    store: Store
    folder: TrainingFolder
    reasons: tuple[tuple[str, Any, str], ...] = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def longest_ratio(self) -> float:
        """Target tokens for one source token in nearly all training pairs (999 of 1,000)."""
        return self.store.ratio(0.999)


def plan(tree: Tree) -> tuple[Recipe, tuple[tuple[str, Any, str], ...], tuple[str, ...]]:
    """Resolves a draft without writing anything: what `--explain` shows.

    Returns:
        The recipe, the reasons of its automatic choices, and what is left out of the data.
    """
    tree, start = started(tree)
    data, seed = _data_of(tree)
    corpus = gather(data, seed)
    recipe, reasons = choose(tree, survey(corpus.train))
    drawn = () if start else build.learned_from(recipe, len(corpus.train))
    return recipe, tuple(reasons), (*corpus.notes, *drawn, *noted(start, recipe.train.start))


def set_up(tree: Tree, out: Path, device: str = "cpu") -> Run:
    """Reads the data, resolves the draft, learns the tokenizers and writes the run's files.

    Of several processes that `torchrun` started the first does so, and the others read its files.

    Raises:
        DataError: the data cannot be read or are too few.
        ConfigError: the draft is wrong, or `out` holds something else than a model.
        BundleError: the model to go on from cannot be opened.
    """
    team = join()
    run = _set_up(tree, out, device) if team.leads else None
    team.wait()
    return run or take_up(out)


def _set_up(tree: Tree, out: Path, device: str) -> Run:
    _refuse_foreign(out)
    tree, start = started(tree)
    data, seed = _data_of(tree)
    corpus = gather(data, seed)
    figures = survey(corpus.train)
    recipe, reasons = choose(tree, figures)
    tokenizers = (
        start.tokenizers if start else build.build_tokenizers(recipe, corpus.train, figures)
    )
    folder = TrainingFolder(out)
    folder.clear()
    if start:  # kept, so that what becomes of it elsewhere does not matter to --resume
        start.save(folder.start)
    linked = corpus.links.between(tokenizers) if corpus.links else None
    store = Store.write(folder.root / "store", corpus.train, tokenizers, linked)
    recipe, counted = build.settle_lengths(recipe, store)
    if counted and isinstance(recipe.model, TransformerSettings):
        reasons.append(("model.length_ratio", recipe.model.length_ratio, counted))
    network = build.build_network(recipe, tokenizers).to(device)
    recipe, measured = build.settle_precision(recipe, network, build.build_batches(recipe, store))
    if measured:
        reasons.append(("train.precision", recipe.train.precision, measured))
    folder.write(recipe, tokenizers, corpus.dev)
    drawn = () if start else build.learned_from(recipe, len(corpus.train))
    notes = (*corpus.notes, *drawn, *noted(start, recipe.train.start, store))
    return Run(recipe, tokenizers, corpus.dev, store, folder, tuple(reasons), notes)


def take_up(out: Path) -> Run:
    """Takes up the run in `out` where it was left.

    Raises:
        ConfigError: no run was begun there.
        BundleError: its files are damaged.
    """
    folder = TrainingFolder(out)
    if not folder.begun:
        raise ConfigError(
            "no run to resume", where=str(out), mend="Leave --resume out to begin one"
        )
    recipe, tokenizers, dev, store = folder.read()
    return Run(recipe, tokenizers, dev, store, folder)


def carry_out(
    run: Run, observers: Sequence[Observer] = (), device: str = "cpu", *, resume: bool = False
) -> Bundle:
    """Trains, keeps the best weights, scores them on all held-out pairs and saves the bundle."""
    recipe, where, team = run.recipe, torch.device(device), join()
    precision = recipe.train.precision
    assert precision != "auto", "a run settles it before it begins"
    network = build.build_network(recipe, run.tokenizers).to(where)
    if recipe.train.start:
        network.load_state_dict(load(run.folder.start, where).network.state_dict())
    examination = examine_by(run.dev)
    best = copy.deepcopy(network).float().eval()
    trainer = Trainer(
        cast(network, precision),
        build.build_batches(recipe, run.store),
        recipe.train,
        _judge(run, examination.part(recipe.train.validation_pairs), best, network),
        run.folder.state,
        team,
    )
    if not team.leads:  # equal weights everywhere, but dropout of its own
        torch.manual_seed(recipe.seed + team.rank * 1_000_003)
    resumed = resume and trainer.resume()
    if team.leads:
        journal = Journal(run.folder.journal, trainer.state.step if resumed else 0)
        _finish(run, trainer.run([journal, *observers]), examination, device)
    else:
        trainer.run()
    team.wait()
    return load(run.folder.bundle, device)


def _finish(run: Run, state: Progress, examination: Examination, device: str) -> None:
    """Scores the best weights on all held-out pairs and completes the bundle."""
    bundle = load(run.folder.bundle, device)
    scores = final_scores(bundle, run, examination)
    facts = {"steps": state.step, "seconds": round(state.seconds, 1), **_extent(run)}
    bundle = replace(bundle, scores={"dev": scores, "training": facts})
    replace(bundle, card=write_card(bundle, run.dev)).save(run.folder.bundle)


def _extent(run: Run) -> dict[str, Any]:
    return {
        "seed": run.recipe.seed,
        "pairs": len(run.store),
        "longest_source": run.store.source.longest,
        "longest_ratio": run.longest_ratio,
    }


def final_scores(bundle: Bundle, run: Run, examination: Examination) -> list[dict[str, Any]]:
    """Decodes all held-out sources with the recipe's own search and scores them."""
    options = search_options(run.recipe.decode)
    sources, ratio = examination.sources, run.longest_ratio
    texts = outputs(bundle.network, bundle.tokenizers, sources, options, ratio)
    return [asdict(score) for score in examination.score(texts)]


def _judge(run: Run, examination: Examination, best: Network, live: Network) -> Judge:
    metric = metric_named(examination.metrics[0])
    options, ratio = search_options(run.recipe.decode, beam=1), run.longest_ratio

    def taken(weights: dict[str, Tensor]) -> Network:
        for name, buffer in best.named_buffers():
            buffer.copy_(live.get_buffer(name))
        return put(best, weights)

    def score(weights: dict[str, Tensor]) -> float:
        texts = outputs(taken(weights), run.tokenizers, examination.sources, options, ratio)
        return examination.score(texts, resamples=0)[0].value

    def keep(_: dict[str, Tensor], score: float) -> None:
        scores = {"validation": {"metric": metric.name, "value": score}}
        Bundle(run.recipe.as_tree(), best, run.tokenizers, scores).save(run.folder.bundle)

    def mark(weights: dict[str, Tensor], step: int) -> None:
        scores = {"training": {"steps": step, **_extent(run)}}
        where = run.folder.milestone(step)
        Bundle(run.recipe.as_tree(), taken(weights), run.tokenizers, scores).save(where)

    return Judge(metric.name, metric.higher_is_better, score, keep, mark)


def _data_of(tree: Tree) -> tuple[DataSettings, int]:
    return parse(DataSettings, tree.get("data", {}), "data"), seed_of(tree)


def _refuse_foreign(out: Path) -> None:
    known = is_begun(out) or (out / "training").is_dir()
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not known)):
        raise ConfigError(
            "exists and is no model of seq2see",
            where=str(out),
            mend="Choose another folder with --out",
        )
