"""A network that scores the target tokens on a source's shortlist, and no others."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seq2see.data.shortlist import Shortlist
from seq2see.data.tokenizers import PAD
from seq2see.decode.ensemble import Ensemble
from seq2see.decode.hypothesis import Hypothesis
from seq2see.decode.request import FREE, Group
from seq2see.decode.rules import NEVER
from seq2see.decode.search import Searchable
from seq2see.errors import DecodingError
from seq2see.nn.chosen import Vectors, chosen
from seq2see.nn.hooks import every_hook_of
from seq2see.nn.network import NEAR, Network
from seq2see.nn.state import Memory, TensorState


@dataclass(frozen=True)
class Candidates:
    """The target tokens that each source of a group may be translated to.

    A search that knows nothing of it counts them from 0 instead of by their ids; marks, which come
    first, have the same number in both.

    Args:
        ids: of the tokens, `[source, candidate]`; `PAD` behind those of a source that has fewer.
        common: how many stand first that are the same for all sources.
    """

    ids: Int[Tensor, "source candidate"]
    common: int

    @classmethod
    def of(cls, group: Group, shortlist: Shortlist) -> Candidates:
        """Looks up what each source may be translated to; a forced prefix may always be written."""
        device = group.source.device
        frequent = torch.as_tensor(shortlist.frequent, device=device)
        likely = torch.as_tensor(shortlist.likely, device=device)
        everywhere = likely[PAD].expand(len(group.source), -1)
        found = [likely[group.source].flatten(1), everywhere, group.prefix.clamp(min=PAD)]
        each = torch.cat(found, dim=1).sort(dim=1).values
        again = torch.zeros_like(each, dtype=torch.bool)
        again[:, 1:] = each[:, 1:] == each[:, :-1]
        each = each.masked_fill(again | torch.isin(each, frequent), PAD)
        each = each.sort(dim=1, descending=True).values
        each = each[:, : int((each != PAD).sum(1).max())]
        return cls(torch.cat([frequent.expand(len(each), -1), each], dim=1), len(frequent))

    def counted(self, group: Group) -> Group:
        """Returns the group with its forced tokens counted as candidates."""
        forced = group.prefix != FREE
        place = (self.ids[:, None] == group.prefix[:, :, None]).int().argmax(2)
        return replace(group, prefix=place.masked_fill(~forced, FREE))

    def named(self, found: list[list[Hypothesis]]) -> list[list[Hypothesis]]:
        """Returns hypotheses of each source with ids in place of the candidates' numbers."""
        return [
            [replace(one, ids=tuple(ids[list(one.ids)].tolist())) for one in nbest]
            for nbest, ids in zip(found, self.ids.cpu(), strict=True)
        ]


@dataclass(frozen=True)
class Tables:
    """What each source's candidates are scored with.

    Args:
        ids: of all candidates, `[entry, candidate]`.
        vectors: of those that not all sources have, `[entry, d, own]`.
        term: added to their logits, `[entry, 1, own]`: minus infinity where there is none.
        entry: which one belongs to each source. To copy the tables whenever a source leaves would
            cost more than to score what belongs to none, as long as most are in use.
    """

    ids: Int[Tensor, "entry candidate"]
    vectors: Float[Tensor, "entry d own"]
    term: Float[Tensor, "entry 1 own"]
    entry: Int[Tensor, " source"]

    def select(self, sources: Int[Tensor, " kept"]) -> Tables:
        """Takes the given sources, in that order."""
        entry = self.entry[sources]
        if 2 * len(entry) > len(self.ids):
            return replace(self, entry=entry)
        all_of_them = torch.arange(len(entry), device=entry.device)
        return Tables(self.ids[entry], self.vectors[entry], self.term[entry], all_of_them)

    def named(self, candidates: Int[Tensor, "source width"]) -> Int[Tensor, "source width"]:
        """Returns the ids of candidates."""
        return self.ids[self.entry[:, None], candidates]

    def own(self, x: Float[Tensor, "source width d"]) -> Float[Tensor, "source width own"]:
        """Scores the candidates that not all sources have."""
        laid = x.new_zeros(len(self.ids), *x.shape[1:])
        laid[self.entry] = x
        return torch.baddbmm(self.term, laid, self.vectors)[self.entry]


@dataclass(frozen=True)
class NarrowedState:
    """The network's state, and what its sources' candidates are scored with.

    Args:
        inner: the network's own.
        tables: of the sources.
        width: hypotheses of each source; they stand in succession.
    """

    inner: TensorState
    tables: Tables
    width: int = 1

    def select(self, rows: Int[Tensor, " kept"], width: int = 1) -> NarrowedState:
        """Takes the given rows, in that order; see `State`."""
        tables = self.tables.select(rows[::width] // self.width)
        return NarrowedState(self.inner.select(rows, width), tables, width)


Hidden = tuple[Tensor, Tables]


class Narrowed(nn.Module):
    """Scores the candidates of each source by the rows of the output matrix that are theirs.

    The frequent tokens' rows are one smaller matrix; the others are looked up once a source. What
    a search sees of one source does not depend on those beside it.

    Args:
        network: the network, in evaluation mode.
        shortlist: what each source may be translated to.

    Raises:
        DecodingError: somebody watches or edits the logits of the whole vocabulary, which are not
            made here; search without a shortlist.
    """

    def __init__(self, network: Network, shortlist: Shortlist) -> None:
        super().__init__()
        if network.prediction.watched or any(every_hook_of(network.output)):
            raise DecodingError(
                "the logits of the whole vocabulary are watched or edited",
                where="shortlist",
                mend="Search without a shortlist",
            )
        self.network, self.sizes = network, network.sizes
        ids = torch.as_tensor(shortlist.frequent, device=next(network.parameters()).device)
        self.frequent, self.rows = chosen(network.output, ids), Vectors.of(network.output)
        self.candidates: Candidates | None = None

    def of(self, candidates: Candidates) -> Narrowed:
        """Returns the same network for the sources of one group."""
        other = copy.copy(self)  # which shares all modules
        other.candidates = candidates
        return other

    def encode(self, source: Int[Tensor, "row source"], real: Bool[Tensor, "row source"]) -> Memory:
        """Reads the sources; `real` is False at padding."""
        return self.network.encode(source, real)

    def start(self, memory: Memory) -> NarrowedState:
        """Returns the state before the first token."""
        assert self.candidates is not None
        ids = self.candidates.ids
        more = ids[:, self.candidates.common :]
        vectors = self.rows.at(more)
        term = vectors.new_zeros(more.shape).masked_fill_(more == PAD, NEVER)[:, None]
        entry = torch.arange(len(ids), device=ids.device)
        return NarrowedState(self.network.start(memory), Tables(ids, vectors.mT, term, entry))

    def advance(
        self, tokens: Int[Tensor, " row"], state: NarrowedState
    ) -> tuple[Hidden, NarrowedState]:
        """Reads one candidate a row; returns what `predictions` scores, and the state after it."""
        ids = state.tables.named(tokens.view(-1, state.width)).flatten()
        hidden, inner = self.network.advance(ids, state.inner)
        return (hidden, state.tables), replace(state, inner=inner)

    def predictions(
        self, hidden: Hidden, width: int = 1
    ) -> Iterator[Float[Tensor, "part candidate"]]:
        """Scores the candidates of some rows at a time; see `Network.predictions`."""
        x, tables = hidden
        x = x.view(-1, width, x.shape[-1])
        each = max(1, NEAR // (width * tables.ids.shape[1]))
        for part, own in zip(x.split(each), tables.own(x).split(each), strict=True):
            yield torch.cat([self.frequent(part), own], dim=-1).flatten(0, 1)


def narrowed(network: Searchable, shortlist: Shortlist) -> Searchable:
    """Returns a network, or an ensemble's members, that can score a source's candidates alone.

    Raises:
        DecodingError: see `Narrowed`.
    """
    if isinstance(network, Ensemble):
        return Ensemble([Narrowed(member, shortlist) for member in network.networks()])
    assert isinstance(network, Network)
    return Narrowed(network, shortlist)


def among(network: Searchable, candidates: Candidates) -> Searchable:
    """Returns what `narrowed` made, for the sources of one group."""
    if isinstance(network, Ensemble):
        return Ensemble([member.of(candidates) for member in network.members])  # type: ignore
    assert isinstance(network, Narrowed)
    return network.of(candidates)
