"""From requests to hypotheses: sort by length, search group by group, restore the order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from seq2see.decode.beam import Beam
from seq2see.decode.hypothesis import Hypothesis, ranked
from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request, by_length, lay
from seq2see.decode.rules import Rules, Unwritable
from seq2see.decode.sample import Sampler
from seq2see.decode.search import Chooser, Searchable, search
from seq2see.decode.workers import in_threads

PLAIN = Unwritable()


def generate(
    network: Searchable,
    requests: Sequence[Request],
    options: SearchOptions,
    unwritable: Unwritable = PLAIN,
) -> list[list[Hypothesis]]:
    """Decodes every request; what comes out for one does not depend on the others.

    Args:
        network: a network or an ensemble, in evaluation mode.
        requests: what to decode.
        options: how to search.
        unwritable: the target vocabulary's ids that are not text.

    Returns:
        For each request, in order, `options.nbest` hypotheses at most, best first.
    """
    draws = options.nbest if options.sample else 1
    wanted = [replace(request, draw=draw) for request in requests for draw in range(draws)]
    device = next(iter(network.parameters())).device
    results: list[list[Hypothesis]] = [[] for _ in wanted]
    budget = max(options.batch_tokens // (1 if options.sample else options.beam), 1)
    lengths = [len(request.source) for request in wanted]
    groups = sorted(by_length(lengths, budget), key=lambda rows: -max(lengths[i] for i in rows))
    tasks = [
        partial(_search, network, [wanted[row] for row in rows], options, unwritable)
        for rows in groups
    ]
    for rows, every in zip(groups, in_threads(tasks, _workers(options, device)), strict=True):
        for row, found in zip(rows, every, strict=True):
            results[row] = found
    return [
        ranked((one for found in results[i : i + draws] for one in found), options.length_penalty)
        for i in range(0, len(results), draws)
    ]


@torch.inference_mode()
def _search(
    network: Searchable, chosen: list[Request], options: SearchOptions, unwritable: Unwritable
) -> list[list[Hypothesis]]:
    group = lay(chosen, next(iter(network.parameters())).device)
    rules = Rules(group, unwritable, options.no_repeat_ngram)
    chooser: Chooser = Sampler.over(chosen, options) if options.sample else Beam(options.beam)
    return search(network, group, rules, chooser, options)


def _workers(options: SearchOptions, device: torch.device) -> int:
    """Returns how many groups are searched at a time; a GPU is busy with one."""
    return (options.workers or torch.get_num_threads()) if device.type == "cpu" else 1


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Puts a network in evaluation mode, and each of its modules back in its former mode after."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
