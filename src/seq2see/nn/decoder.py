"""From a memory and the tokens so far to a vector that predicts the next token."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seq2see.nn.attention import MultiHeadAttention, StateAttention
from seq2see.nn.blocks import Block, KeyValue
from seq2see.nn.dropout import Dropout
from seq2see.nn.masks import causal, over_keys
from seq2see.nn.norms import Norm
from seq2see.nn.places import Keeping, Places, Reading
from seq2see.nn.recurrent import Hidden, Recurrence
from seq2see.nn.settings import RecurrentSettings, TransformerSettings
from seq2see.nn.state import Memory, TensorState
from seq2see.nn.tap import Tap


class TransformerDecoder(nn.Module):
    """A stack of blocks in which a position looks at its past and at the source.

    Its state is the keys and values of the positions so far (the cache), and those of the source.

    Taps: those of its blocks, which are named `0`, `1`, …; `out`.
    """

    def __init__(self, settings: TransformerSettings) -> None:
        super().__init__()
        self.depth, self.ratio = settings.decoder_layers, settings.length_ratio or 1.0
        roles = [each.function for each in settings.programmed("decoder")]
        self.programmed, self.keeping = bool(roles), Keeping(any(one.tokens for one in roles))
        for layer in range(self.depth):
            self.add_module(str(layer), Block(settings, decoder=True, layer=layer))
        last = settings.norm_in_decoder if settings.norm_place == "before" else "none"
        self.norm = Norm(last, settings.d_model)
        self.out = Tap()

    def block(self, layer: int) -> Block:
        """Returns the block of that number, counted from 0."""
        return self.get_submodule(str(layer))  # type: ignore[return-value]

    def start(self, memory: Memory) -> TensorState:
        """Projects the source's keys and values once for all steps."""
        source = {"real": memory.real, **self.keeping.of_source(self, memory)}
        for layer in range(self.depth):
            cross: MultiHeadAttention = self.block(layer).cross  # type: ignore[assignment]
            k, v = cross.keys_values(memory.states)
            # Laid out for a product by head once, not anew at every step.
            source |= {f"{layer}.k": k.contiguous(), f"{layer}.v": v.contiguous()}
        return TensorState(0, source, {})

    def forward(
        self,
        x: Float[Tensor, "row target d_model"],
        state: TensorState,
        read: Int[Tensor, "row target"] | None = None,
    ) -> tuple[Float[Tensor, "row target d_model"], TensorState]:
        """Reads the embeddings `x` of the positions that follow `state`, one or many at a time.

        Args:
            x: embeddings.
            state: what came before.
            read: the ids embedded, for roles that compare tokens.

        Returns:
            A vector for each new position, and the state after them.
        """
        total = state.length + x.shape[1]
        mask = causal(x.shape[1], total, x.device)
        source = state.source
        tensors = {**state.tensors, **self.keeping.of_target(self, state, read)}
        places = self._places(state, read, x.shape[1])
        source_mask = over_keys(source["real"])
        for layer in range(self.depth):
            cross = (source[f"{layer}.k"], source[f"{layer}.v"])
            past: KeyValue | None = None
            if state.length:
                past = (tensors[f"{layer}.k"], tensors[f"{layer}.v"])
            x, (k, v) = self.block(layer).decode(x, mask, (cross, source_mask), past, places)
            tensors |= {f"{layer}.k": k, f"{layer}.v": v}
        return self.out(self.norm(x)), replace(state, length=total, tensors=tensors)

    def _places(
        self, state: TensorState, read: Tensor | None, count: int
    ) -> tuple[Places, Places] | tuple[None, None]:
        if not self.programmed:
            return None, None
        reading = Reading(state, read, count, self.ratio)
        return reading.own, reading.cross


class RecurrentDecoder(nn.Module):
    r"""Layers of recurrence that start from the encoder's last states and may look at all of them.

    $$h_t = f(x_t, h_{t-1}), \qquad c_t = \mathrm{attention}(h_t, \text{memory}), \qquad
      y_t = \tanh(W\,[h_t; c_t])$$

    The query is the first layer's state; layers above it read $[h_t; c_t]$ too. No context is fed
    back into the first layer, so training runs all steps of a layer in one call. Without attention
    there is no c: all the decoder ever sees of the source is the fixed vector it starts from.
    Source: Sutskever et al. 2014 (none); Luong et al. 2015, eq. 5 (with).

    Taps: those of the recurrences `0`, `1`, … and of `cross`; `out`.
    """

    def __init__(self, settings: RecurrentSettings) -> None:
        super().__init__()
        self.depth = settings.decoder_layers
        self.encoder_depth = settings.encoder_layers
        self.cell_state = settings.kind == "lstm"
        self.keeping = Keeping(False)
        hidden, memory = settings.d_hidden, settings.d_memory
        self.cross: StateAttention | None = None
        if settings.attention != "none":
            self.cross = StateAttention(settings.attention, hidden, memory)
        seen = hidden + (memory if self.cross is not None else 0)
        for layer in range(self.depth):
            width = settings.d_embedding if layer == 0 else seen
            cell = Recurrence(settings.kind, width, hidden, settings.forget_bias)
            self.add_module(str(layer), cell)
            self.add_module(f"start_{layer}", nn.Linear(memory, hidden * (1 + self.cell_state)))
        self.readout = nn.Linear(seen, settings.d_embedding)
        self.dropout = Dropout(settings.dropout)
        self.out = Tap()

    def start(self, memory: Memory) -> TensorState:
        """Maps the last state of each encoder layer to the first state of each decoder layer."""
        assert memory.final is not None
        source = {"real": memory.real, "memory": memory.states}
        source |= self.keeping.of_source(self, memory)
        tensors: dict[str, Tensor] = {}
        if self.cross is not None:
            source["keys"] = self.cross.keys(memory.states)
        for layer in range(self.depth):
            final = memory.final[:, min(layer, self.encoder_depth - 1)]
            first = torch.tanh(self.get_submodule(f"start_{layer}")(final))
            tensors |= _named(layer, first.chunk(1 + self.cell_state, dim=-1))
        return TensorState(0, source, tensors)

    def forward(
        self,
        x: Float[Tensor, "row target d_embedding"],
        state: TensorState,
        read: Int[Tensor, "row target"] | None = None,
    ) -> tuple[Float[Tensor, "row target d_embedding"], TensorState]:
        """Reads the embeddings `x` of the positions that follow `state`, one or many at a time.

        Args:
            x: embeddings.
            state: what came before.
            read: the ids embedded, for roles that compare tokens.

        Returns:
            A vector for each new position, and the state after them.
        """
        source = state.source
        tensors = {**state.tensors, **self.keeping.of_target(self, state, read)}
        context: Tensor | None = None
        length = state.length + x.shape[1]
        for layer in range(self.depth):
            hidden = tuple(tensors[name] for name in _named(layer, (x,) * (1 + self.cell_state)))
            states, last = self.get_submodule(str(layer))(x, hidden)
            tensors |= _named(layer, last)
            if layer == 0 and self.cross is not None:
                context = self.cross(states, source["keys"], source["memory"], source["real"])
            seen = states if context is None else torch.cat([states, context], dim=-1)
            x = self.dropout(seen)
        y = torch.tanh(self.readout(x))
        return self.out(self.dropout(y)), replace(state, length=length, tensors=tensors)


def _named(layer: int, hidden: Hidden) -> dict[str, Tensor]:
    return dict(zip((f"{layer}.hidden", f"{layer}.cell"), hidden, strict=False))
