"""How much each key could make a head write."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.look.names import Attention
from seq2see.nn.attention import MultiHeadAttention


def written_norms(
    layer: Attention, values: Float[Tensor, "row *kv_head key d_value"]
) -> Float[Tensor, "row head key"]:
    r"""Measures what a head would write if it looked at one key alone.

    $$\| (x_j W^V_h + b^V_h)\, W^O_h \|$$

    Without a map to values, $x_j W^V_h + b^V_h$ is the head's own features of $x_j$. Times the
    weight on that key, it is the share of the key in what the head writes. Source:
    Kobayashi et al. 2020, eq. 4. A recurrent decoder's attention has neither map, so there it is
    the norm of the encoder state.

    Args:
        layer: the attention.
        values: what passed its tap `v`; the encoder states for a recurrent decoder.
    """
    if not isinstance(layer, MultiHeadAttention):
        return values.norm(dim=-1)[:, None]
    values = by_head(layer, values)
    if not layer.sizes.projections:
        return values.norm(dim=-1)
    written = layer.output.weight.detach().unflatten(1, (layer.sizes.heads, layer.sizes.d_value))
    # The product of a head's map with itself is small, where what it writes is d_model wide.
    gram = written.permute(1, 2, 0) @ written.permute(1, 0, 2)  # head d_value d_value
    return ((values @ gram) * values).sum(-1).clamp(min=0).sqrt()


def written_shares(
    layer: MultiHeadAttention, context: Float[Tensor, "row head query d_value"]
) -> Float[Tensor, "row head query"]:
    r"""Measures how much of what the heads write is each head's.

    $$\| c_h\, W^O_h \| \,/\, \sum_{h'} \| c_{h'}\, W^O_{h'} \|$$

    with c what a head has read. The shares of a query sum to 1; where no head writes, they are 0.

    Args:
        layer: the attention.
        context: what passed its tap `context`.
    """
    norms = context.norm(dim=-1)
    if layer.sizes.projections:
        maps = layer.output.weight.detach().unflatten(1, (layer.sizes.heads, layer.sizes.d_value))
        norms = torch.einsum("rhqv,dhv->rhqd", context, maps).norm(dim=-1)
    total = norms.sum(1, keepdim=True)
    return norms / total.where(total > 0, 1.0)


def by_head(layer: MultiHeadAttention, values: Tensor) -> Tensor:
    """Gives each head the values it reads, where several heads share them."""
    if layer.sizes.left is not None:
        return layer.sizes.left.serve(values)
    return values.repeat_interleave(layer.sizes.heads // layer.sizes.kv_heads, dim=1)
