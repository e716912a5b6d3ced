"""Which numbers of an attention's matrices belong to one head."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seq2see.config import nearest
from seq2see.errors import ConfigError
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.network import Network
from seq2see.nn.settings import TransformerSettings


@dataclass(frozen=True)
class Slice:
    """A part of a parameter.

    Args:
        name: the parameter's name among those of the network.
        dim: the dimension along which it is a part.
        start: where the part begins.
        length: how long it is.
    """

    name: str
    dim: int
    start: int
    length: int

    def of(self, parameter: Tensor) -> Tensor:
        """Returns the part, as a view."""
        return parameter.narrow(self.dim, self.start, self.length)


def head_slices(
    network: Network, at: str, head: int, *, with_output: bool = True
) -> tuple[Slice, ...]:
    """Lists the parts of parameters that belong to one head alone.

    These are its query, key and value, its columns of the output map, and the gain of its role,
    as far as it has them. The bias of the output map belongs to no head.

    Args:
        network: a Transformer.
        at: the attention, as `encoder.0.self`.
        head: which of its heads, from 0.
        with_output: whether the columns of the output map are among them.

    Raises:
        ConfigError: there is no such head, or it has no parameters of its own.
    """
    layer = _attention(network, at, head)
    sizes, programme = layer.sizes, layer.programme
    learned = range(sizes.heads) if programme is None else programme.learned
    parts = []
    maps = ("query",) if sizes.tied_query_key else ("query", "key")
    if head in learned:
        start = tuple(learned).index(head) * sizes.d_key
        parts = [(f"{which}.{kind}", 0, start, sizes.d_key) for which in maps
                 for kind in ("weight", "bias")]  # fmt: skip
    start = head * sizes.d_value
    if sizes.value_projection:
        parts += [(f"value.{kind}", 0, start, sizes.d_value) for kind in ("weight", "bias")]
    if with_output:
        parts.append(("output.weight", 1, start, sizes.d_value))
    if programme is not None and head in programme.biased:
        parts.append(("programme.gains", 0, list(programme.biased).index(head), 1))
    return tuple(Slice(f"{at}.{name}", *rest) for name, *rest in parts)


@torch.no_grad()
def clone_head(
    network: Network, at: str, source: int, target: int, *, with_output: bool = True
) -> None:
    """Makes one head of an attention the twin of another.

    Twins that share the output columns too have equal gradients, and so stay twins, as far as
    rounding and the dropout of attention weights allow.

    Args:
        network: a Transformer, changed in place.
        at: the attention, as `encoder.0.self`.
        source: the head that is copied.
        target: the head that becomes its twin.
        with_output: whether its columns of the output map are copied too.

    Raises:
        ConfigError: there is no such head, it has no parameters of its own, or the two have
            different roles, or values without a map, so that no copying would make them equal.
    """
    if not _attention(network, at, source).sizes.value_projection:
        raise ConfigError(
            f"the values of heads {source} and {target} are different features of the vectors"
            " themselves, and no copying makes them equal",
            where=at,
            mend="Leave model.value_projection at true",
        )
    found = [head_slices(network, at, head, with_output=with_output) for head in (source, target)]
    settings = network.settings
    assert isinstance(settings, TransformerSettings)  # since it has such heads
    roles = {each.head: (each.role, each.how) for each in settings.roles_at(at) if each.programmes}
    if roles.get(source) != roles.get(target):
        raise ConfigError(
            f"heads {source} and {target} have different roles, and a twin has the same",
            where=at,
            mend="Give both the same role, or none",
        )
    parameters = dict(network.named_parameters())
    for here, there in zip(*found, strict=True):
        there.of(parameters[there.name]).copy_(here.of(parameters[here.name]))


def _attention(network: Network, at: str, head: int) -> MultiHeadAttention:
    modules = network.named_modules()
    layers = {name: each for name, each in modules if isinstance(each, MultiHeadAttention)}
    if at not in layers:
        mend = nearest(at, layers) if layers else "This network is no Transformer"
        raise ConfigError("no attention with heads of that name", where=at, mend=mend)
    sizes = layers[at].sizes
    if not 0 <= head < sizes.heads:
        raise ConfigError(
            f"found head {head}", expected=f"heads from 0 to {sizes.heads - 1}", where=at
        )
    if not sizes.projections or sizes.kv_heads < sizes.heads:
        why = "share their keys and values" if sizes.projections else "have no maps of their own"
        raise ConfigError(
            f"the heads {why}, so that none has parameters to itself",
            where=at,
            mend="Leave model.kv_heads out, and model.projections at true",
        )
    return layers[at]
