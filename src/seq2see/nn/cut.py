"""Cutting heads out of an attention for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.kept import KeptHeads, Left, shared


def cut(layer: MultiHeadAttention, heads: Sequence[int]) -> None:
    r"""Leaves an attention the given heads, and takes the weights of all others away.

    $$Y = \sum_{h \in \mathrm{heads}} \mathrm{attention}(XW^Q_h, MW^K_h, MW^V_h)\,W^O_h + b_O$$

    That is what the whole layer gives when the context of the other heads is 0. Where several heads
    share keys and values, these go when the last head that reads them goes. Without any head the
    layer gives its output bias. Source: Michel et al. 2019, section 4.

    Args:
        layer: the attention, which is changed; it has maps to all of them.
        heads: which of its present heads stay, in rising order.
    """
    sizes = layer.sizes
    every = range(sizes.heads)
    each = sizes.heads // max(1, sizes.kv_heads)
    before = sizes.left or Left(tuple(every), sizes.heads, tuple(h // each for h in every))
    groups, reads = shared([before.reads[h] for h in heads])
    _keep_rows(layer.query, heads, sizes.d_key)
    if layer.key is not layer.query:  # one map that serves both is cut once
        _keep_rows(layer.key, groups, sizes.d_key)
    _keep_rows(layer.value, groups, sizes.d_value)
    _keep_columns(layer.output, heads, sizes.d_value)
    left = Left(tuple(before.numbers[h] for h in heads), before.among, reads)
    layer.sizes = replace(sizes, heads=len(heads), kv_heads=len(groups), left=left)


def cut_all(network: nn.Module, kept: Sequence[KeptHeads]) -> None:
    """Cuts the attentions of an uncut network down to the heads that its settings name."""
    for each in kept:
        layer: MultiHeadAttention = network.get_submodule(each.at)  # type: ignore[assignment]
        cut(layer, each.heads)


def _keep_rows(linear: nn.Linear, heads: Sequence[int], width: int) -> None:
    features = _features(heads, width, linear.weight)
    linear.weight = nn.Parameter(linear.weight.detach()[features])
    linear.bias = nn.Parameter(linear.bias.detach()[features])
    linear.out_features = len(features)


def _keep_columns(linear: nn.Linear, heads: Sequence[int], width: int) -> None:
    features = _features(heads, width, linear.weight)
    linear.weight = nn.Parameter(linear.weight.detach()[:, features].contiguous())
    linear.in_features = len(features)


def _features(heads: Sequence[int], width: int, like: Tensor) -> Tensor:
    first = torch.tensor(list(heads), dtype=torch.long, device=like.device) * width
    return (first[:, None] + torch.arange(width, device=like.device)).flatten()
