"""From requests to hypotheses: sort by length, search group by group, restore the order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import nn

from seq2see.data.shortlist import Shortlist
from seq2see.decode.beam import Beam
from seq2see.decode.hypothesis import Hypothesis, ranked
from seq2see.decode.narrowed import Candidates, among, narrowed
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request, by_length, lay
from seq2see.decode.rules import Rules, Unwritable
from seq2see.decode.sample import Sampler
from seq2see.decode.search import Chooser, Searchable, search
from seq2see.decode.workers import in_threads
from seq2see.nn.columns import by_columns
from seq2see.nn.hooks import every_hook_of

PLAIN = Unwritable()

_WORTH = 256
"""Hypotheses from which weights are laid out for the search."""

_MANY = 8
"""Groups a worker from which it matters little who searches the last one."""

_LEAST = 1024
"""Source tokens times hypotheses that a worker's share has at least: small products are slow."""


def generate(
    network: Searchable,
    requests: Sequence[Request],
    options: SearchOptions,
    unwritable: Unwritable = PLAIN,
    shortlist: Shortlist | None = None,
) -> list[list[Hypothesis]]:
    """Decodes every request; what comes out for one does not depend on the others.

    Args:
        network: a network or an ensemble, in evaluation mode.
        requests: what to decode.
        options: how to search.
        unwritable: the target vocabulary's ids that are not text.
        shortlist: which target tokens each source may be translated to; None: all.

    Returns:
        For each request, in order, `options.nbest` hypotheses at most, best first.
    """
    draws = options.nbest if options.sample else 1
    wanted = [replace(request, draw=draw) for request in requests for draw in range(draws)]
    device = next(iter(network.parameters())).device
    results: list[list[Hypothesis]] = [[] for _ in wanted]
    width, workers = 1 if options.sample else options.beam, _workers(options, device)
    lengths = [len(request.source) for request in wanted]
    budget = max(options.batch_tokens // width, 1)
    groups = _shared_out(lengths, budget, max(_LEAST // width, 1), workers)
    groups.sort(key=lambda rows: -max(lengths[i] for i in rows))
    if shortlist is not None:
        network = narrowed(network, shortlist)
    network = _laid_out(network, width * len(wanted), device)
    tasks = [
        partial(_search, network, [wanted[row] for row in rows], options, unwritable, shortlist)
        for rows in groups
    ]
    for rows, every in zip(groups, in_threads(tasks, workers), strict=True):
        for row, found in zip(rows, every, strict=True):
            results[row] = found
    return [
        ranked((one for found in results[i : i + draws] for one in found), options.length_penalty)
        for i in range(0, len(results), draws)
    ]


@torch.inference_mode()
def _search(
    network: Searchable,
    chosen: list[Request],
    options: SearchOptions,
    unwritable: Unwritable,
    shortlist: Shortlist | None,
) -> list[list[Hypothesis]]:
    group = lay(chosen, next(iter(network.parameters())).device)
    chooser: Chooser = Sampler.over(chosen, options) if options.sample else Beam(options.beam)
    if shortlist is None:
        rules = Rules(group, unwritable, options.no_repeat_ngram)
        return search(network, group, rules, chooser, options)
    candidates = Candidates.of(group, shortlist)
    group, marks = candidates.counted(group), Unwritable(marks=unwritable.marks)
    rules = Rules(group, marks, options.no_repeat_ngram)
    network = among(network, candidates)
    return candidates.named(search(network, group, rules, chooser, options))


def _laid_out(network: Searchable, hypotheses: int, device: torch.device) -> Searchable:
    """Lays weights out for a large search, unless a hook would be handed the modules of a copy."""
    if hypotheses < _WORTH or device.type != "cpu" or not isinstance(network, nn.Module):
        return network
    watched = any(any(every_hook_of(module)) for module in network.modules())
    return network if watched else by_columns(network)


def _shared_out(lengths: Sequence[int], budget: int, least: int, workers: int) -> list[list[int]]:
    """Groups rows by length so that few groups keep all workers busy to the end.

    Args:
        lengths: of the rows.
        budget: padded tokens of a group at most, where it has more than one row.
        least: tokens of a worker's share, on average.
        workers: that search side by side.
    """
    groups = by_length(lengths, budget)
    workers = min(workers, sum(lengths) // least)
    if workers <= 1 or len(groups) > _MANY * workers:
        return groups
    rounds = -(-len(groups) // workers)
    order = np.argsort(lengths, kind="stable")
    upto = np.cumsum(np.array(lengths)[order])
    for count in (rounds * workers, (rounds + 1) * workers):
        ends = np.searchsorted(upto, upto[-1] * np.arange(1, count) / count, side="right")
        shares = [share.tolist() for share in np.split(order, ends) if len(share)]
        if all(len(share) * lengths[share[-1]] <= budget for share in shares):
            return shares
    return groups


def _workers(options: SearchOptions, device: torch.device) -> int:
    """Returns how many groups are searched at a time; a GPU is busy with one."""
    return (options.workers or torch.get_num_threads()) if device.type == "cpu" else 1


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Puts a network in evaluation mode, and each of its modules back in its former mode after."""
    training = [module for module in network.modules() if module.training]
    for module in training:  # mostly none; `eval` would visit them all once more
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
