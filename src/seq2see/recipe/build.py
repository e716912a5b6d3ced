"""A resolved recipe and its corpus -> tokenizers, network, trainer, bundle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import compress

import numpy as np
import torch

from seq2see.data.batches import Batches, BatchPlan
from seq2see.data.pairs import Pair, Pairs
from seq2see.data.store import Store, Tokenizers
from seq2see.data.tokenizers import Layout, TokenKind, train_tokenizer
from seq2see.errors import is_out_of_memory
from seq2see.nn.network import Network, Sizes
from seq2see.nn.settings import TransformerSettings
from seq2see.nn.slices import head_slices
from seq2see.recipe.sections import Recipe
from seq2see.recipe.survey import Survey
from seq2see.train.freeze import head_named
from seq2see.train.precision import fastest
from seq2see.train.update import no_memory

_SUBWORDS: tuple[TokenKind, ...] = ("bpe", "unigram")
_LEARNED = 1_000_000
"""Pairs that subword pieces are learned from at most."""


def build_tokenizers(recipe: Recipe, pairs: Pairs, survey: Survey) -> Tokenizers:
    """Learns both sides' pieces; a joint vocabulary is one tokenizer for both.

    Subword pieces are learned from a million pairs at most, one out of each of as many equal
    stretches of the corpus, drawn by the recipe's seed; characters and words from all.
    """
    data = recipe.data
    assert data.source != "auto" and data.target != "auto"
    layout = Layout(max(data.copies, 0), survey.features, data.compose is True)

    def some(kind: TokenKind) -> Iterable[Pair]:
        return _drawn(pairs, recipe.seed) if kind in _SUBWORDS else pairs

    if data.joint is True:
        texts = (text for pair in some(data.source) for text in (pair.source, pair.target))
        shared = train_tokenizer(data.source, texts, data.vocabulary, layout)
        return Tokenizers(shared, shared)
    sources = (pair.source for pair in some(data.source))
    source = train_tokenizer(data.source, sources, data.vocabulary, layout)
    targets, layout = (pair.target for pair in some(data.target)), replace(layout, features=())
    return Tokenizers(source, train_tokenizer(data.target, targets, data.vocabulary, layout))


def learned_from(recipe: Recipe, pairs: int) -> tuple[str, ...]:
    """Says from how many of so many pairs subword pieces are learned, where not from all."""
    if pairs <= _LEARNED or not {recipe.data.source, recipe.data.target} & set(_SUBWORDS):
        return ()
    drawn = f"{_LEARNED:,} of {pairs:,} pairs, drawn evenly (seed {recipe.seed})"
    return (f"the subword pieces are learned from {drawn}",)


def _drawn(pairs: Pairs, seed: int) -> Iterable[Pair]:
    if len(pairs) <= _LEARNED:
        return pairs
    bounds = np.arange(_LEARNED + 1) * len(pairs) // _LEARNED
    chosen = np.zeros(len(pairs), bool)
    chosen[np.random.default_rng(seed).integers(bounds[:-1], bounds[1:])] = True
    return compress(pairs, chosen)


def build_network(recipe: Recipe, tokenizers: Tokenizers) -> Network:
    """Draws an untrained network from the recipe's seed.

    Raises:
        ConfigError: a head that is to be frozen does not exist.
    """
    torch.manual_seed(recipe.seed)
    network = Network(recipe.model, Sizes(tokenizers.source.size, tokenizers.target.size))
    for at, head in map(head_named, recipe.train.freeze):
        head_slices(network, at, head)  # which says now, before any training, what is wrong
    return network


def build_batches(recipe: Recipe, store: Store) -> Batches:
    """Plans the batches of a run."""
    copies = max(recipe.data.copies, 0)
    # Only with one vocabulary does an id mean the same piece on both sides.
    noise = recipe.data.copy_noise if copies and recipe.data.joint is True else 0.0
    return Batches(store, BatchPlan(recipe.train.batch_tokens, recipe.seed, noise, copies))


def settle_lengths(recipe: Recipe, store: Store) -> tuple[Recipe, str]:
    """Fills in how long a target is for its source on average, where heads have roles.

    Returns:
        The recipe, and where the ratio comes from; empty where nothing was filled in.
    """
    model = recipe.model
    if not isinstance(model, TransformerSettings) or not model.roles or model.length_ratio:
        return recipe, ""
    target, source = store.target.total, store.source.total
    ratio = round(target / source, 6)
    counted = f"{target:,} target and {source:,} source tokens"
    return replace(recipe, model=replace(model, length_ratio=ratio)), counted


def settle_precision(recipe: Recipe, network: Network, batches: Batches) -> tuple[Recipe, str]:
    """Replaces `auto` by the precision that measures faster here.

    Args:
        recipe: the recipe.
        network: untrained, on the device that will train it.
        batches: the run's batches.

    Returns:
        The recipe, and what was measured.

    Raises:
        TrainingError: memory ran out; lower train.batch_tokens.
    """
    if recipe.train.precision != "auto":
        return recipe, ""
    trials = [batches.collate(rows) for rows in batches.pool(0, 0)[:4]]
    try:
        chosen, times = fastest(network, trials)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise no_memory(trials[0], recipe.train) from error
    measured = ", ".join(f"{name} {ms:.0f} ms a batch" for name, ms in times.items())
    return replace(recipe, train=replace(recipe.train, precision=chosen)), measured
