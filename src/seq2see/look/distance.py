"""How much of an early input is left in a late state: gradients over distance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from seq2see.data.rows import Texts
from seq2see.data.tokenizers import PAD
from seq2see.decode.score import Given, side_by_side
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.capture import capture, gradients
from seq2see.look.forced import force
from seq2see.look.names import Site, find, only
from seq2see.nn.network import Network
from seq2see.nn.recurrent import Recurrence
from seq2see.nn.settings import RecurrentSettings


@dataclass(frozen=True, eq=False)
class Distances:
    """The norm of the gradient of a state by an input, for each distance between the two.

    Args:
        at: the value whose gradient was taken.
        mean: over all states and inputs that stand k positions apart, for k from 0.
        spread: their standard deviation.
        count: how many there were.
        exact: whether the norms are exact, or estimated by random directions.
    """

    at: str
    mean: Float[Tensor, " distance"]
    spread: Float[Tensor, " distance"]
    count: Int[Tensor, " distance"]
    exact: bool

    def __len__(self) -> int:
        """Counts the distances: one more than the greatest."""
        return len(self.mean)


def distances(
    translator: Translator,
    texts: Texts,
    targets: str | Sequence[str] | None = None,
    at: str = "encoder",
    directions: int = 16,
    seed: int = 1,
) -> Distances:
    r"""Measures how strongly states depend on inputs that stand far from them.

    $$\lVert \partial h_T / \partial x_{T-k} \rVert_F$$

    with $x_j$ what the first layer reads at position j. Of a recurrence, h is its state after the
    last real token of its side; of any other value, every position is such an h in turn, and k is
    the distance to either side, or back alone in a decoder, which sees no other. A path through
    other values, as a decoder's look at the source, is no path from $x_j$ unless it begins there.
    Source: Bengio et al. 1994, section 4; Pascanu et al. 2013, section 2.

    Where h has no more features than `directions`, the norm is exact; otherwise it is estimated by
    $\mathbb{E}_g \lVert J^\top g \rVert^2 = \lVert J \rVert_F^2$, with so many g drawn from the
    standard normal distribution, the same for all states.

    Args:
        translator: the model; its options decide how it searches where no target is given.
        texts: sources, or pairs.
        targets: one a source. None takes each `Pair`'s own target and, where there is none, the
            best output of the model.
        at: h: `encoder` or `decoder` means the states of the first forward cell of a recurrent one,
            and the output of a Transformer's; or the name of any value with one vector a position.
        directions: how many passes backward are spent on a position.
        seed: of the directions.

    Raises:
        ConfigError: there is no such value (the nearest name is given), it has not one vector a
            position in reading order, `directions` is below 1, or the model is an ensemble.
        DataError: there is no source.
        DecodingError: there are not as many targets as sources.
    """
    network = only(translator.network)
    site = _site(network, at)
    if directions < 1:
        raise ConfigError(f"found {directions}", expected="1 or more", where="directions")
    forced = force(translator, texts, targets)
    gaps, norms, exact = [], [], False
    budget = translator.options.batch_tokens
    for given in side_by_side(network, forced.sources, forced.targets, budget):
        inputs = find(network, f"{site.side}.out")
        captured, _ = capture(network, given, [inputs, site], grad=True)
        [x], [h] = captured[inputs.name], captured[site.name]
        ways, exact = _directions(h, directions, seed)
        for late, real in _late(site, given):
            table = _norms(h, x, late, ways, exact)  # row early
            gap = late[:, None] - torch.arange(x.shape[1], device=x.device)
            seen = real & _real(site, given) & ((gap >= 0) | (not _causal(site)))
            gaps.append(gap.abs()[seen])
            norms.append(table[seen])
    return _summed(site.name, torch.cat(gaps).cpu(), torch.cat(norms).cpu(), exact)


def _norms(
    h: Float[Tensor, "row late d_state"],
    x: Float[Tensor, "row early d_input"],
    late: Int[Tensor, " row"],
    ways: Float[Tensor, "direction d_state"],
    exact: bool,
) -> Float[Tensor, "row early"]:
    """Returns the norm of the gradient of each row's state at `late` by each of its inputs."""
    with gradients(True):
        chosen = h[torch.arange(len(h), device=h.device), late]  # row d_state
        squares = [
            torch.autograd.grad((chosen @ way).sum(), x, retain_graph=True)[0].square().sum(-1)
            for way in ways
        ]
    total = torch.stack(squares).sum(0)
    return (total if exact else total / len(ways)).sqrt().float()


def _late(site: Site, given: Given) -> Iterator[tuple[Int[Tensor, " row"], Bool[Tensor, "row 1"]]]:
    """Yields a position of each row, and whether a token stands there, until all had a turn."""
    real = _real(site, given)
    lengths = real.sum(1)
    if isinstance(site.owner, Recurrence):
        yield lengths - 1, torch.ones_like(real[:, :1])
        return
    for position in range(real.shape[1]):
        yield torch.full_like(lengths, position), real[:, position, None]


def _real(site: Site, given: Given) -> Bool[Tensor, "row position"]:
    return given.real if site.side == "source" else given.wanted != PAD


def _causal(site: Site) -> bool:
    return site.side == "target" or isinstance(site.owner, Recurrence)


def _directions(
    h: Float[Tensor, "row late d_state"], count: int, seed: int
) -> tuple[Float[Tensor, "direction d_state"], bool]:
    size = h.shape[-1]
    if size <= count:
        return torch.eye(size).to(h), True
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, size, generator=generator).to(h), False


def _summed(
    at: str, gaps: Int[Tensor, " each"], norms: Float[Tensor, " each"], exact: bool
) -> Distances:
    count = gaps.bincount()
    total = norms.double()
    mean = gaps.bincount(total) / count
    spread = (gaps.bincount((total - mean[gaps]).square()) / count).sqrt()
    return Distances(at, mean.float(), spread.float(), count, exact)


def _site(network: Network, at: str) -> Site:
    recurrent = isinstance(network.settings, RecurrentSettings)
    usual = {
        "encoder": "encoder.0.forwards.states" if recurrent else "encoder.out",
        "decoder": "decoder.0.states" if recurrent else "decoder.out",
    }
    site = find(network, usual.get(at, at))
    right = site.axes == ("pair", site.side, "feature")
    if not right or site.stepwise or site.backwards:
        raise ConfigError(
            f"a value by {', '.join(site.axes)}{', in reverse' * site.backwards}",
            expected="one vector a position, in reading order",
            where=site.name,
            mend="Name the output of a layer, or the states of a forward recurrence",
        )
    return site
