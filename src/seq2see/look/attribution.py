"""Four ways to say how much each source token has to do with each target token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seq2see.decode.score import Given
from seq2see.errors import ConfigError
from seq2see.look.capture import capture, gradients
from seq2see.look.names import Attention, Site, find, find_attention, sites
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.decoder import RecurrentDecoder
from seq2see.nn.hooks import Hooks, hooked
from seq2see.nn.network import Network

EMBEDDED = "source.tokens"
"""The tap of the source's embeddings, before positions are added."""

Measure = Callable[[Given], Float[Tensor, "row target source"]]
"""Gives each source token its part in each target token, padding included."""


@dataclass(frozen=True)
class Eye:
    """One attention over the source, and those of its heads that are asked.

    Args:
        network: the network.
        pattern: the attention's pattern.
        attention: the attention.
        heads: the heads that are asked.
    """

    network: Network
    pattern: Site
    attention: Attention
    heads: list[int]

    def weights(self, given: Given) -> Float[Tensor, "row target source"]:
        """Averages the attention weights over the heads."""
        captured, _ = capture(self.network, given, [self.pattern])
        [pattern] = captured[self.pattern.name]
        return pattern[:, self.heads].mean(1)

    def norms(self, given: Given) -> Float[Tensor, "row target source"]:
        r"""Measures what the heads together bring from each source token.

        $$\lVert \sum_h A^h_{ij}\,(x_j W^h_V + b^h_V)\,W^h_O \rVert$$

        A recurrent decoder has no value map, and reads its context c through $W_c$, the part of its
        read-out that c passes: $\lVert A_{ij}\,W_c x_j \rVert$. Source: Kobayashi et al. 2020, eq.
        4 and section 3.1.
        """
        values = find(self.network, self._values)
        captured, _ = capture(self.network, given, [self.pattern, values])
        [pattern], [value] = captured[self.pattern.name], captured[values.name]
        written = self._written(value)
        rows = [  # a row at a time: the vectors of all would be large
            torch.einsum("hts,hsd->tsd", weights[self.heads], vectors[self.heads]).norm(dim=-1)
            for weights, vectors in zip(pattern, written, strict=True)
        ]
        return torch.stack(rows)

    @property
    def _values(self) -> str:
        name = self.pattern.name.removesuffix("pattern")
        return f"{name}v" if isinstance(self.attention, MultiHeadAttention) else "encoder.out"

    def _written(self, value: Tensor) -> Float[Tensor, "row head source d_out"]:
        """Maps values, or memory, to what each head would write if it looked at one token alone."""
        if not isinstance(self.attention, MultiHeadAttention):
            decoder = self.network.decoder
            assert isinstance(decoder, RecurrentDecoder)
            through = decoder.readout.weight[:, -value.shape[-1] :]  # d_out d_memory
            return (value @ through.T)[:, None]
        sizes = self.attention.sizes
        value = value.repeat_interleave(sizes.heads // sizes.kv_heads, dim=1)
        out = self.attention.output
        width = sizes.heads * value.shape[-1]
        # Without projections the heads' contexts stand side by side as they are.
        weight = out.weight if isinstance(out, nn.Linear) else torch.eye(width).to(value)
        by_head = weight.unflatten(1, (sizes.heads, -1))  # d_out head d_value
        return torch.einsum("rhsv,dhv->rhsd", value, by_head)


def eye(network: Network, layer: int | None, head: int | None) -> Eye:
    """Finds an attention over the source.

    Args:
        network: the network.
        layer: of the decoder, from 0; None takes the last but one, or the only one.
        head: from 0; None takes all.

    Raises:
        ConfigError: there is no such layer or head, or no attention over the source at all.
    """
    names = over_source(network)
    if not names:
        raise ConfigError(
            "this network has no attention over the source",
            where="by",
            mend="Align by gradient or by erasure",
        )
    chosen = usual(len(names)) if layer is None else layer
    if not 0 <= chosen < len(names):
        raise ConfigError(
            f"found layer {layer}",
            expected=f"layers that look at the source, from 0 to {len(names) - 1}",
            where="layer",
        )
    site, attention = find_attention(network, names[chosen])
    heads = range(site.heads) if head is None else site.chosen([head])
    return Eye(network, site, attention, list(heads))


def over_source(network: Network) -> list[str]:
    """Names the patterns of the attentions over the source, in the order of the layers."""
    return [name for name in sites(network) if name.endswith("cross.pattern")]


def usual(layers: int) -> int:
    """Returns which of so many layers is asked unless said: the last but one, or the only one."""
    return max(layers - 2, 0)


def by_gradient(network: Network, given: Given) -> Float[Tensor, "row target source"]:
    r"""Multiplies each embedding by the gradient of each target token's log-probability.

    $$\lvert e_j \cdot \partial \ln p(y_i \mid y_{<i}, x) / \partial e_j \rvert$$

    One pass backward a target position, for all rows at once. Source: Denil et al. 2014; Ding et
    al. 2019, section 3 (for alignment).
    """
    site = find(network, EMBEDDED)
    captured, logits = capture(network, given, [site], grad=True)
    [embedded] = captured[site.name]
    rows = []
    with gradients(True):
        for score in _scores(logits, given).unbind(1):
            [slope] = torch.autograd.grad(score.sum(), embedded, retain_graph=True)
            rows.append((slope * embedded.detach()).sum(-1).abs())
    return torch.stack(rows, dim=1)


def by_erasure(network: Network, given: Given) -> Float[Tensor, "row target source"]:
    r"""Measures what each target token loses when a source token's embedding is set to zeros.

    $$\ln p(y_i \mid y_{<i}, x) - \ln p(y_i \mid y_{<i}, x \text{ without } x_j)$$

    in nats; below 0 where the token was in the way. Its place stays: what is added for the position
    is not erased. Source: Li et al. 2016, section 3.
    """
    site = find(network, EMBEDDED)
    whole = _scores(capture(network, given, [])[1], given)
    columns = []
    for place in range(given.source.shape[1]):
        with hooked(Hooks(after=((site.tap, _erasing(place)),))):
            columns.append(whole - _scores(capture(network, given, [])[1], given))
    return torch.stack(columns, dim=-1)


def _erasing(place: int) -> Callable[[Tensor], Tensor]:
    def erase(value: Tensor) -> Tensor:
        kept = torch.arange(value.shape[1], device=value.device) != place
        return value * kept[:, None]

    return erase


def _scores(logits: Tensor, given: Given) -> Float[Tensor, "row target"]:
    return logits.log_softmax(-1).gather(-1, given.wanted[..., None]).squeeze(-1)
