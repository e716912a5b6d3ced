"""Which heads go first, and the smaller network without them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from seq2see.config import nearest
from seq2see.data.rows import Texts, as_pairs
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.forced import force
from seq2see.look.measure import importances
from seq2see.look.names import find_attention, only
from seq2see.look.removal import Head, attentions, likelihood_changes, removals, standing
from seq2see.look.written import by_head
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.cut import cut
from seq2see.nn.kept import KeptHeads
from seq2see.nn.network import Network
from seq2see.nn.settings import TransformerSettings

ORDERS = ("gradient", "ablation", "magnitude", "random")


def worth(
    translator: Translator, by: str, data: Texts | None = None, at: str = "*", seed: int = 1
) -> dict[Head, float]:
    r"""Says what each head is worth, by one of several measures.

    - `gradient`: how much the loss depends on what it reads; see `importances`. One pass forwards
      and backwards over the data. Source: Michel et al. 2019, section 4.1.
    - `ablation`: by how many nats a token the targets' log-likelihood falls when the head alone is
      silenced (by zero, as pruning does). A pass forwards for every head. Source: Michel et al.
      2019, section 3.2, with the likelihood for their BLEU.
    - `magnitude`: $\|W^V_h\|_F\,\|W^O_h\|_F$, of the weights alone; heads that share values
      share the first factor.
    - `random`: a number that says nothing, to compare with.

    Every head is judged with all others in place. What a head is worth can change when others go,
    and none of these measures sees that.

    Args:
        translator: the model.
        by: the measure.
        data: pairs, for `gradient` and `ablation`; where a target is missing, the model's own
            output takes its place.
        at: whose heads: an attention's name, in which `*` stands for any text.
        seed: of `random`.

    Raises:
        ConfigError: the measure is unknown or needs data and there are none, no attention has such
            a name or has heads left, or the model is an ensemble.
    """
    network = only(translator.network)
    if by not in ORDERS:
        raise ConfigError(f"found {by!r}", where="by", mend=nearest(str(by), ORDERS))
    ats = standing(network, at)
    every = [(name, head) for name, count in ats.items() for head in range(count)]
    if by == "random":
        return dict(
            zip(every, np.random.default_rng(seed).random(len(every)).tolist(), strict=True)
        )
    if by == "magnitude":
        return {head: _magnitude(network, head) for head in every}
    if data is None:
        mend = "Give data=, pairs the model is judged by"
        raise ConfigError("no data", where=f"by {by}", mend=mend)
    pairs = as_pairs(data)
    forced = force(translator, pairs)
    if by == "gradient":
        found = importances(translator, forced, list(ats))
        return {(name, head): float(found[name][head]) for name, head in every}
    changes = likelihood_changes(translator, forced, removals(translator, pairs, ats, "zero"))
    return {head: -changes[head].value for head in every}


def order(worths: dict[Head, float]) -> list[Head]:
    """Puts heads in the order in which they go: the one worth least first.

    Of equals the one that stands first in the network goes first.
    """
    return sorted(worths, key=worths.__getitem__)


def removed(network: Network, ordered: Sequence[Head], keep: int) -> list[Head]:
    """Chooses the heads that go so that `keep` are left in all.

    Args:
        network: whose heads.
        ordered: the heads that may go, in the order in which they go.
        keep: how many heads are left in the whole network.

    Raises:
        ConfigError: there are not so many heads, or not enough that may go.
    """
    total = sum(attentions(network).values())
    if not total - len(ordered) <= keep <= total:
        raise ConfigError(
            f"found {keep}",
            expected=f"a number from {total - len(ordered)}, as many as may not go, to {total}",
            where="keep",
        )
    return list(ordered[: total - keep])


def without(network: Network, heads: Iterable[Head]) -> Network:
    """Makes a network that lacks the given heads, and is smaller for it.

    It gives what `network` gives with those heads ablated by zero. Where heads share keys and
    values, these go with the last head that reads them. An attention may lose all its heads, and
    then adds its output bias to the residual.

    Args:
        network: stays as it is.
        heads: which go, by their present numbers.

    Raises:
        ConfigError: the network has no such head, or its heads have no weights of their own.
    """
    settings = network.settings
    if not isinstance(settings, TransformerSettings):
        raise ConfigError(
            "a recurrent network has no heads that could be cut",
            where="prune",
            mend="Prune a Transformer",
        )
    going = set(heads)
    _check_known(network, going)
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are overwritten
        new = Network(settings, network.sizes)
    like = next(network.parameters())
    new.to(like.device, like.dtype).train(network.training)
    new.load_state_dict(network.state_dict())
    new.settings = replace(settings, kept=tuple(_kept(new, going)))  # refuses what cannot be cut
    for at, layer in _layers(new):
        stay = _staying(at, layer, going)
        if len(stay) < layer.sizes.heads:
            cut(layer, stay)
    return new


def _staying(at: str, layer: MultiHeadAttention, going: Collection[Head]) -> list[int]:
    return [head for head in range(layer.sizes.heads) if (at, head) not in going]


def _kept(network: Network, going: Collection[Head]) -> Iterator[KeptHeads]:
    for at, layer in _layers(network):
        left, stay = layer.sizes.left, _staying(at, layer, going)
        numbers = range(layer.sizes.heads) if left is None else left.numbers
        if left is not None or len(stay) < len(numbers):
            yield KeptHeads(at, tuple(numbers[head] for head in stay))


def _layers(network: Network) -> Iterator[tuple[str, MultiHeadAttention]]:
    for at in attentions(network):
        layer = network.get_submodule(at)
        assert isinstance(layer, MultiHeadAttention)
        yield at, layer


def _check_known(network: Network, heads: Iterable[Head]) -> None:
    known = attentions(network)
    for at, head in heads:
        if at not in known:
            raise ConfigError("no attention of that name", where=at, mend=nearest(at, known))
        find_attention(network, at)[0].chosen([head])


def _magnitude(network: Network, head: Head) -> float:
    at, number = head
    _, layer = find_attention(network, at)
    if not isinstance(layer, MultiHeadAttention) or not layer.sizes.maps_values:
        raise ConfigError(
            "this attention has no weights by head",
            where=at,
            mend="Order its heads by gradient, ablation or random",
        )
    sizes = layer.sizes
    groups = layer.value.weight.unflatten(0, (sizes.kv_heads, sizes.d_value))
    values = by_head(layer, groups[None])[0, number]  # d_value d_model
    outputs = layer.output.weight.unflatten(1, (sizes.heads, sizes.d_value))[:, number]
    return float((values.norm() * outputs.norm()).detach())
