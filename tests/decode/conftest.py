"""Tiny networks of each architecture, untrained and slightly trained, and one that echoes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from seq2see.data.tokenizers import END, START
from seq2see.decode.request import Request
from seq2see.nn.network import Network, Sizes
from seq2see.nn.settings import RecurrentSettings, TransformerSettings

SIZE = 12
SETTINGS = {
    "transformer": TransformerSettings(
        encoder_layers=1, decoder_layers=2, d_model=16, d_ff=32, heads=2, dropout=0.1
    ),
    "bilstm": RecurrentSettings("lstm", d_embedding=16, d_hidden=16, decoder_layers=2),
    "rnn": RecurrentSettings(
        "rnn", bidirectional=False, attention="none", d_embedding=16, d_hidden=16
    ),
}


def new(kind: str, size: int = SIZE, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return Network(SETTINGS[kind], Sizes(size, size)).eval()


def taught(kind: str) -> Network:
    network = new(kind).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(40):
        ids = torch.randint(4, SIZE, (32, 5))
        source = torch.cat([ids, torch.full((32, 1), END)], dim=1)
        read = torch.cat([torch.full((32, 1), START), ids], dim=1)
        logits = network.logits(network(source, torch.ones_like(source, dtype=torch.bool), read))
        optimizer.zero_grad()
        F.cross_entropy(logits.flatten(0, 1), source.flatten()).backward()
        optimizer.step()
    return network.eval()


@pytest.fixture(scope="session")
def make():
    return new


@pytest.fixture(params=SETTINGS)
def untaught(request) -> Network:
    return new(request.param)


@pytest.fixture(
    scope="session", params=[f"{kind}-{how}" for kind in SETTINGS for how in ("new", "taught")]
)
def network(request) -> Network:
    kind, _, how = request.param.partition("-")
    return taught(kind) if how == "taught" else new(kind)


@pytest.fixture(scope="session")
def requests() -> list[Request]:
    generator = torch.Generator().manual_seed(1)
    sources = [
        [*torch.randint(4, SIZE, (length,), generator=generator).tolist(), END]
        for length in (3, 9, 1, 5, 12, 5, 2, 7)
    ]
    return [Request(source, len(source) + 4, line=n) for n, source in enumerate(sources, 1)]


@dataclass(frozen=True)
class EchoState:
    source: Tensor
    place: int

    def select(self, rows: Tensor, width: int = 1) -> EchoState:
        return EchoState(self.source[rows], self.place)


class Echo(Network):
    """Wants to write the source again; its state is of no kind that search could know."""

    def __init__(self, size: int) -> None:
        super().__init__(SETTINGS["rnn"], Sizes(size, size))

    def encode(self, source: Tensor, real: Tensor) -> Tensor:
        return source

    def start(self, memory: Tensor) -> EchoState:
        return EchoState(memory, 0)

    def advance(self, tokens: Tensor, state: EchoState) -> tuple[Tensor, EchoState]:
        return self.step(tokens, state)  # its scores need no further product

    def predictions(self, hidden: Tensor, width: int = 1) -> Iterator[Tensor]:
        yield hidden

    def step(self, tokens: Tensor, state: EchoState) -> tuple[Tensor, EchoState]:
        place = min(state.place, state.source.shape[1] - 1)
        logits = 9.0 * F.one_hot(state.source[:, place], self.sizes.target)
        # Second best, so that what is forbidden shows as END.
        logits[:, END] += 1.0
        return logits, EchoState(state.source, state.place + 1)


@pytest.fixture(scope="session")
def echo():
    return Echo


class Endless(Echo):
    """Writes the first piece of the source for ever."""

    def step(self, tokens: Tensor, state: EchoState) -> tuple[Tensor, EchoState]:
        logits = 9.0 * F.one_hot(state.source[:, 0], self.sizes.target)
        return logits, EchoState(state.source, state.place + 1)


@pytest.fixture(scope="session")
def endless():
    return Endless
