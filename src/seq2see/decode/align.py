"""Where in the source the network looked for each token of a target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from seq2see.decode.ensemble import Ensemble
from seq2see.decode.hypothesis import Pattern
from seq2see.decode.score import Ids, members, side_by_side
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.hooks import Hooks, hooked
from seq2see.nn.network import Network
from seq2see.nn.tap import Tap

CROSS = "cross.pattern"
"""How the name ends of every tap at which a decoder looks at the source."""


@torch.inference_mode()
def align(
    network: Network | Ensemble,
    sources: Sequence[Ids],
    targets: Sequence[Ids],
    batch_tokens: int = 8192,
) -> list[Pattern | None]:
    """Reads the attention over the source while the network is forced along the targets.

    A pattern is the mean over the heads of the decoder's last layer that looks at the source (one
    whose heads were all pruned does not), and
    over the members of an ensemble that look at all.

    Args:
        network: in evaluation mode.
        sources: token ids, end mark last.
        targets: one or more token ids each.
        batch_tokens: padded tokens of the longer side that are read at a time.

    Returns:
        For each target `[target, source]`, where row i belongs to the prediction of token i; None
        where the network has no attention over the source.
    """
    results: list[Pattern | None] = [None] * len(targets)
    looking = [(one, tap) for one in members(network) if (tap := last_cross(one)) is not None]
    if not looking:
        return results
    for given in side_by_side(network, sources, targets, batch_tokens):
        patterns: list[Tensor] = []
        for one, tap in looking:
            seen: list[Tensor] = []
            with hooked(Hooks(after=((tap, seen.append),))):
                one(given.source, given.real, given.read)
            patterns += [weights.mean(1) for weights in seen]  # row target source
        mean = torch.stack(patterns).mean(0).cpu().numpy().astype(np.float32)
        for pattern, row in zip(mean, given.rows, strict=True):
            results[row] = pattern[: len(targets[row]), : len(sources[row])].copy()
    return results


def last_cross(network: Network) -> Tap | None:
    """Finds the decoder's last tap on attention over the source, of those that have a head left."""
    modules = dict(network.decoder.named_modules())
    taps = [
        module
        for name, module in modules.items()
        if isinstance(module, Tap)
        and name.endswith(CROSS)
        and not _headless(modules[name.rpartition(".")[0]])
    ]
    return taps[-1] if taps else None


def _headless(layer: nn.Module) -> bool:
    return isinstance(layer, MultiHeadAttention) and not layer.sizes.heads
