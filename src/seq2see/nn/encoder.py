"""From a source's embeddings to its memory."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from seq2see.nn.attention import LONG
from seq2see.nn.blocks import Block
from seq2see.nn.dropout import Dropout
from seq2see.nn.lean import Lean, own, think
from seq2see.nn.masks import additive, over_keys
from seq2see.nn.norms import Norm
from seq2see.nn.places import in_source
from seq2see.nn.recurrent import Recurrence, at_last, reverse
from seq2see.nn.settings import RecurrentSettings, TransformerSettings
from seq2see.nn.state import Memory
from seq2see.nn.tap import Tap


class TransformerEncoder(nn.Module):
    """A stack of blocks in which every position looks at every other.

    Taps: those of its blocks, which are named `0`, `1`, …; `out`, the memory.
    """

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        self.depth = settings.encoder_layers
        self.programmed = any(settings.programmed("encoder"))
        for layer in range(self.depth):
            self.add_module(str(layer), Block(settings, decoder=False, layer=layer))
        last = settings.norm if settings.norm_place == "before" else "none"
        self.norm = Norm(last, settings.d_model)
        self.out = Tap()

    def forward(
        self,
        x: Float[Tensor, "row source d_model"],
        real: Bool[Tensor, "row source"],
        tokens: Int[Tensor, "row source"] | None = None,
    ) -> Memory:
        """Encodes embeddings `x`, of which those where `real` is True are tokens.

        Args:
            x: the embeddings.
            real: False at padding.
            tokens: the ids embedded, for roles that compare tokens.
        """
        lean = None if self.training or x.shape[1] >= LONG else Lean(self, self.blocks())
        if lean is not None and lean.applies and real.any(1).all():
            return Memory(self._lean(lean, x, real), real, tokens=tokens)
        mask = over_keys(real)
        places = in_source(tokens, real) if self.programmed else None
        for block in self.blocks():
            x = block.encode(x, mask, real, places)
        return Memory(self.out(self.norm(x, real)), real, tokens=tokens)

    def blocks(self) -> list[Block]:
        """Lists the blocks, the lowest one first."""
        return [self.get_submodule(str(layer)) for layer in range(self.depth)]  # type: ignore[misc]

    def _lean(self, lean: Lean, x: Tensor, real: Tensor) -> Tensor:
        term = None if real.all() else additive(over_keys(real), x.dtype)
        for block in lean.blocks:
            x = think(block, own(block, x, term)[0])
        return self.norm(x)


class RecurrentEncoder(nn.Module):
    r"""Layers of recurrence, each in one direction or in both.

    $$\overrightarrow{h}_t = f(x_t, \overrightarrow{h}_{t-1}), \qquad
      \overleftarrow{h}_t = g(x_t, \overleftarrow{h}_{t+1}), \qquad
      h_t = [\overrightarrow{h}_t; \overleftarrow{h}_t]$$

    f and g are two cells with parameters of their own. The backward one starts at each row's last
    real token; its own taps see its steps in that reading order. Source: Schuster and Paliwal 1997.

    Taps: those of the recurrences `0.forwards`, `0.backwards`, …; `out`, the memory.
    """

    def __init__(self, settings: RecurrentSettings) -> None:
        super().__init__()
        self.depth = settings.encoder_layers
        width = settings.d_embedding
        for layer in range(self.depth):
            ways = {"forwards": self._cell(settings, width)}
            if settings.bidirectional:
                ways["backwards"] = self._cell(settings, width)
            self.add_module(str(layer), nn.ModuleDict(ways))
            width = settings.d_memory
        self.dropout = Dropout(settings.dropout)
        self.out = Tap()

    @staticmethod
    def _cell(settings: RecurrentSettings, width: int) -> Recurrence:
        return Recurrence(settings.kind, width, settings.d_hidden, settings.forget_bias)

    def forward(
        self,
        x: Float[Tensor, "row source d_embedding"],
        real: Bool[Tensor, "row source"],
        tokens: Int[Tensor, "row source"] | None = None,
    ) -> Memory:
        """Encodes embeddings `x`, of which those where `real` is True are `tokens`."""
        lengths = real.sum(1)
        finals = []
        for layer in range(self.depth):
            ways: nn.ModuleDict = self.get_submodule(str(layer))  # type: ignore[assignment]
            x = x if layer == 0 else self.dropout(x)
            states, ends = [], []
            cell: Recurrence
            for way, cell in ways.items():  # type: ignore[assignment]
                backward = way == "backwards"
                read = reverse(x, lengths) if backward else x
                hidden, _ = cell(read, cell.zero(read))
                ends.append(at_last(hidden, lengths))
                states.append(reverse(hidden, lengths) if backward else hidden)
            x = torch.cat(states, dim=-1)
            finals.append(torch.cat(ends, dim=-1))
        return Memory(self.out(self.dropout(x)), real, torch.stack(finals, dim=1), tokens)
