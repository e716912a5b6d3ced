"""Collects what passes a network's taps while it is forced along targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seq2see.decode.generate import evaluating
from seq2see.decode.score import Given
from seq2see.look.names import Site
from seq2see.nn.hooks import After, Hooks, hooked
from seq2see.nn.network import Network
from seq2see.nn.recurrent import Recurrence

Captured = dict[str, list[Tensor]]
"""Every value that passed, by tap name, in the order of passing: one, or one a step."""


def capture(
    network: Network, given: Given, sites: Iterable[Site], *, grad: bool = False
) -> tuple[Captured, Float[Tensor, "row target vocabulary"]]:
    """Forces a network along targets and keeps what passes the given taps.

    A value that is the same for every row (a position code) is kept once a row. The network runs in
    evaluation mode and is left in the mode it was in.

    Args:
        network: the network.
        given: sources and targets side by side.
        sites: the taps.
        grad: whether gradients can be taken of a function of the logits by what was kept.

    Returns:
        The values and the logits.
    """
    return watch(network, given, {site.name: site.tap for site in sites}, grad=grad)


def watch(
    network: Network, given: Given, modules: Mapping[str, nn.Module], *, grad: bool = False
) -> tuple[Captured, Float[Tensor, "row target vocabulary"]]:
    """Does what `capture` does with the outputs of any modules, by the names given to them."""
    captured: Captured = {name: [] for name in modules}
    rows = len(given.source)
    after = [(module, _keeping(captured[name], rows, grad)) for name, module in modules.items()]
    if grad and given.source.is_cuda:
        # cuDNN's recurrences have no backward pass in evaluation mode; watched ones do without.
        every = [module for module in network.modules() if isinstance(module, Recurrence)]
        after += [(one.taps["hidden"], lambda value: value) for one in every]
    with evaluating(network), gradients(grad), hooked(Hooks(after)):
        logits = network.logits(network(given.source, given.real, given.read))
    return captured, logits


@contextmanager
def gradients(wanted: bool) -> Iterator[None]:
    """Records gradients in the block, or none, whatever was so around it.

    Values taken outside of inference mode can still take part in a later computation of gradients.
    """
    with torch.inference_mode(False), torch.set_grad_enabled(wanted):
        yield


def _keeping(values: list[Tensor], rows: int, grad: bool) -> After:
    def keep(value: Tensor) -> Tensor:
        value = value.expand(rows, *value.shape[1:])
        if grad and not value.requires_grad:  # a constant, or a network whose weights are frozen
            value = value.detach().requires_grad_()
        values.append(value)
        return value

    return keep


def whole(site: Site, values: list[Tensor]) -> Tensor:
    """Joins what passed a tap to one tensor with the axes that `site` names."""
    return torch.stack(values, dim=1) if site.stepwise else values[0]
