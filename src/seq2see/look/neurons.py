"""Feed-forward neurons: what drives each of them, and which tokens it speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seq2see.config import nearest
from seq2see.data.rows import Texts
from seq2see.data.tokenizers import PAD, Tokenizer
from seq2see.decode.score import Given, side_by_side
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.capture import capture
from seq2see.look.forced import force
from seq2see.look.names import Site, only, sites
from seq2see.look.trace import Tokens
from seq2see.nn.feedforward import FeedForward
from seq2see.nn.network import Network


@dataclass(frozen=True)
class Trigger:
    """An input that drives a neuron.

    Args:
        pair: its number among the data, from 0.
        position: where, from 0.
        token: the piece that is read there.
        value: what the neuron gives.
    """

    pair: int
    position: int
    token: str
    value: float


@dataclass(frozen=True)
class Promotion:
    """A token, and what a neuron that gives 1 adds to its logit before the final norm."""

    token: str
    value: float


@dataclass(frozen=True, eq=False)
class Neurons:
    """The neurons of one feed-forward layer in the light of some data; see `neurons`.

    Args:
        at: the layer.
        active: the share of positions at which each neuron gives more than 0.
        positions: how many positions were looked at.
        tokens: the pieces that are read, of every pair.
    """

    at: str
    active: Float[Tensor, " neuron"] = field(repr=False)
    positions: int
    tokens: Tokens = field(repr=False)
    _strongest: _Strongest = field(repr=False)
    _effects: Float[Tensor, "neuron d_model"] | None = field(repr=False)
    _output: Float[Tensor, "vocabulary d_model"] = field(repr=False)
    _tokenizer: Tokenizer = field(repr=False)

    def __len__(self) -> int:
        """Counts the neurons."""
        return len(self.active)

    def triggers(self, i: int) -> tuple[Trigger, ...]:
        """Lists the inputs that drive neuron i most, the strongest first, equals in order."""
        i = range(len(self))[i]
        where = self._strongest.where[:, i].tolist()
        values = self._strongest.values[:, i].tolist()
        found = zip(where, values, strict=True)
        return tuple(Trigger(p, t, self.tokens[p][t], value) for (p, t), value in found)

    def promoted(self, i: int, count: int = 10) -> tuple[Promotion, ...]:
        """Lists the tokens whose logits neuron i raises most, the most raised first.

        Raises:
            ConfigError: the layer is an encoder's, whose output no token is compared with.
        """
        return self._ranked(i, count, largest=True)

    def suppressed(self, i: int, count: int = 10) -> tuple[Promotion, ...]:
        """Lists the tokens whose logits neuron i lowers most, the most lowered first.

        Raises:
            ConfigError: the layer is an encoder's, whose output no token is compared with.
        """
        return self._ranked(i, count, largest=False)

    def _ranked(self, i: int, count: int, *, largest: bool) -> tuple[Promotion, ...]:
        if self._effects is None:
            raise ConfigError(
                "no token is compared with what an encoder writes",
                where=self.at,
                mend="Look at a feed-forward layer of the decoder",
            )
        logits = self._output @ self._effects[range(len(self))[i]]
        best = logits.argsort(descending=largest, stable=True)[:count].tolist()
        return tuple(Promotion(self._tokenizer.piece(t), logits[t].item()) for t in best)


def neurons(
    translator: Translator,
    at: str,
    texts: Texts,
    targets: str | Sequence[str] | None = None,
    keep: int = 10,
) -> Neurons:
    r"""Finds the inputs that drive each neuron of a feed-forward layer, and what each one says.

    A layer $f(xK^\top)\,V$ is a memory: neuron i answers to inputs like row i of K, and writes row
    i of V into the stream. $v_i E^\top$ with the output matrix E is what that adds to the logits,
    were it not for the layers above and the final norm. Source: Geva et al. 2021, sections 2 and 4.

    Args:
        translator: the model; its options decide how it searches where no target is given.
        at: the layer, as `decoder.0.feedforward`.
        texts: the data: sources, or pairs.
        targets: one a source, to be forced along. None takes each `Pair`'s own and, where there is
            none, the best output of the model.
        keep: how many inputs are kept for each neuron.

    Raises:
        ConfigError: there is no such layer (the nearest name is given), `keep` is below 1, or the
            model is an ensemble.
        DataError: there is no source.
        DecodingError: there are not as many targets as sources.
    """
    network = only(translator.network)
    site, layer = _find(network, at)
    if keep < 1:
        raise ConfigError(f"found {keep}", expected="1 or more", where="keep")
    forced = force(translator, texts, targets)
    size, positions = layer.widen.out_features, 0
    strongest, active = _Strongest.none(size), torch.zeros(size)
    budget = translator.options.batch_tokens
    for given in side_by_side(network, forced.sources, forced.targets, budget):
        values, where = _seen(network, site, given)
        strongest = strongest.joined(values, where, keep)
        active, positions = active + (values > 0).sum(0), positions + len(values)
    decoder = site.side == "target"
    return Neurons(
        at=site.name.removesuffix(".neurons"),
        active=active / positions,
        positions=positions,
        tokens=forced.read_tokens if decoder else forced.source_tokens,
        _strongest=strongest,
        _effects=_copied(layer.narrow.weight.T) if decoder else None,
        _output=_copied(network.output.weight),
        _tokenizer=forced.tokenizers.target,
    )


@dataclass(frozen=True)
class _Strongest:
    """The greatest values of each neuron so far, and the pair and position of each."""

    values: Float[Tensor, "kept neuron"]
    where: Int[Tensor, "kept neuron 2"]

    @classmethod
    def none(cls, count: int) -> _Strongest:
        return cls(torch.zeros(0, count), torch.zeros(0, count, 2, dtype=torch.long))

    def joined(
        self, values: Float[Tensor, "place neuron"], where: Int[Tensor, "place 2"], keep: int
    ) -> _Strongest:
        every = torch.cat([self.values, values])
        places = torch.cat([self.where, where[:, None].expand(-1, values.shape[1], -1)])
        # Of equals the first pair comes first, whatever batch it was in: sorts are stable.
        order = (places[..., 0] * (int(places[..., 1].max()) + 1) + places[..., 1]).argsort(dim=0)
        best = order.gather(0, every.gather(0, order).argsort(dim=0, descending=True, stable=True))
        best = best[:keep]  # kept neuron
        index = best[..., None].expand(-1, -1, 2)
        return _Strongest(every.gather(0, best), places.gather(0, index))


def _seen(
    network: Network, site: Site, given: Given
) -> tuple[Float[Tensor, "place neuron"], Int[Tensor, "place 2"]]:
    """Returns the neurons at every real position, and the pair and position of each."""
    captured, _ = capture(network, given, [site])
    [value] = captured[site.name]
    real = given.real if site.place == "source" else given.wanted != PAD
    row, position = real.nonzero(as_tuple=True)
    pair = torch.tensor(given.rows)[row.cpu()]
    return value[row, position].float().cpu(), torch.stack([pair, position.cpu()], dim=1)


def _find(network: Network, at: str) -> tuple[Site, FeedForward]:
    known = {
        name.removesuffix(".neurons"): site
        for name, site in sites(network).items()
        if site.last == "neurons"
    }
    name = at.removesuffix(".neurons")
    if name not in known:
        mend = nearest(name, known) if known else "This network has no feed-forward layers"
        raise ConfigError("no feed-forward layer of that name", where=at, mend=mend)
    owner = known[name].owner
    assert isinstance(owner, FeedForward)
    return known[name], owner


def _copied(weight: Tensor) -> Tensor:
    return weight.detach().float().cpu().clone()
