"""Encoder and decoder joined: the one interface that training and search know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seq2see.errors import ConfigError
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.cut import cut_all
from seq2see.nn.decoder import RecurrentDecoder, TransformerDecoder
from seq2see.nn.embedding import Embedding, new_table
from seq2see.nn.encoder import RecurrentEncoder, TransformerEncoder
from seq2see.nn.positions import Learned, Sinusoidal
from seq2see.nn.settings import RecurrentSettings, Settings, TransformerSettings
from seq2see.nn.state import Memory, TensorState
from seq2see.nn.tap import Tap

NEAR = 500_000
"""Logits that are made at a time while searching: 2 MB of float32."""


@dataclass(frozen=True)
class Sizes:
    """How many token ids each side has."""

    source: int
    target: int


class Network(nn.Module):
    """A sequence-to-sequence network of any architecture of the family.

    Search calls `encode`, `start`, `advance`, `predictions` and `State.select`, and never learns
    what lies behind.

    Args:
        settings: what it is made of.
        sizes: the vocabularies' sizes; equal where `settings.tied` is `all`.

    Tap: `prediction`, the logits wherever they are computed as a whole. Training fuses them with
    its loss and never holds them.
    """

    def __init__(self, settings: Settings, sizes: Sizes) -> None:
        super().__init__()
        self.settings, self.sizes = settings, sizes
        width = (
            settings.d_model if isinstance(settings, TransformerSettings) else settings.d_embedding
        )
        target = new_table(sizes.target, width)
        source = self._source_table(target, width)
        self.source = self._embedding(source)
        self.target = self._embedding(target)
        self.encoder: TransformerEncoder | RecurrentEncoder
        self.decoder: TransformerDecoder | RecurrentDecoder
        if isinstance(settings, TransformerSettings):
            self.encoder, self.decoder = TransformerEncoder(settings), TransformerDecoder(settings)
        else:
            self.encoder, self.decoder = RecurrentEncoder(settings), RecurrentDecoder(settings)
        self.output = nn.Linear(width, sizes.target, bias=False)
        self.prediction = Tap()
        self._draw()
        if settings.tied != "none":
            self.output.weight = target.weight
        if isinstance(settings, TransformerSettings):
            cut_all(self, settings.kept)

    def _source_table(self, target: nn.Embedding, width: int) -> nn.Embedding:
        if self.settings.tied != "all":
            return new_table(self.sizes.source, width)
        if self.sizes.source != self.sizes.target:
            raise ConfigError(
                f"one embedding matrix cannot serve {self.sizes.source} source and"
                f" {self.sizes.target} target tokens",
                where="model.tied",
                mend="Use a joint vocabulary (data.joint=true), or model.tied=decoder",
            )
        return target

    def _embedding(self, table: nn.Embedding) -> Embedding:
        settings = self.settings
        if isinstance(settings, RecurrentSettings):
            return Embedding(table, None, settings.dropout)
        positions: nn.Module | None = None
        if settings.positions == "sinusoidal":
            positions = Sinusoidal(settings.frequencies)
        elif settings.positions == "learned":
            positions = Learned(settings.d_model, settings.max_positions)
        return Embedding(table, positions, settings.dropout)

    def _draw(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear) and module is not self.output:
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.output.weight, std=self.output.in_features**-0.5)
        for module in self.modules():
            if isinstance(module, MultiHeadAttention):
                module.write_roles()

    def encode(self, source: Int[Tensor, "row source"], real: Bool[Tensor, "row source"]) -> Memory:
        """Reads the sources; `real` is False at padding."""
        return self.encoder(self.source(source), real, source)

    def start(self, memory: Memory) -> TensorState:
        """Returns the decoder's state before the first token."""
        return self.decoder.start(memory)

    def step(
        self, tokens: Int[Tensor, " row"], state: TensorState
    ) -> tuple[Float[Tensor, "row vocabulary"], TensorState]:
        """Reads one token a row and scores the next one.

        Returns:
            Logits (not normalised) over the target vocabulary, and the state after the token.
        """
        hidden, state = self.advance(tokens, state)
        return self.logits(hidden), state

    def advance(
        self, tokens: Int[Tensor, " row"], state: TensorState
    ) -> tuple[Float[Tensor, "row d_out"], TensorState]:
        """Reads one token a row; returns what `predictions` scores, and the state after it."""
        hidden, state = self.decode(tokens[:, None], state)
        return hidden[:, 0], state

    def predictions(
        self, hidden: Float[Tensor, "row d_out"], width: int = 1
    ) -> Iterator[Float[Tensor, "part vocabulary"]]:
        """Scores the next token of some rows at a time, so that what follows finds it in the cache.

        Args:
            hidden: from `advance`.
            width: rows that stay together.

        Yields:
            Logits of the rows that come next, of all rows in the end. They come together where
            `prediction` is watched.
        """
        each = max(1, NEAR // (width * self.sizes.target)) * width
        yield from map(self.logits, hidden.split(len(hidden) if self.prediction.watched else each))

    def decode(
        self, tokens: Int[Tensor, "row target"], state: TensorState
    ) -> tuple[Float[Tensor, "row target d_out"], TensorState]:
        """Reads several tokens a row at once (teacher forcing, or a prefix)."""
        return self.decoder(self.target(tokens, state.length), state, tokens)

    def logits(self, hidden: Float[Tensor, "*shape d_out"]) -> Float[Tensor, "*shape vocabulary"]:
        """Compares a decoder output with every target token's vector."""
        return self.prediction(self.output(hidden))

    def forward(
        self,
        source: Int[Tensor, "row source"],
        real: Bool[Tensor, "row source"],
        target: Int[Tensor, "row target"],
    ) -> Float[Tensor, "row target d_out"]:
        """Returns what predicts each target token from those before it; `logits` scores it.

        Args:
            source: token ids, right-padded.
            real: False at padding of the source.
            target: token ids that begin with the start mark, right-padded.
        """
        hidden, _ = self.decode(target, self.start(self.encode(source, real)))
        return hidden

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained; a shared matrix counts once."""
        return sum(parameter.numel() for parameter in self.parameters())
