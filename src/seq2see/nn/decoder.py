"""From a memory and the tokens so far to a vector that predicts the next token."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seq2see.nn.ancestry import ANCESTRY, grown, of_each_row, own_past
from seq2see.nn.attention import LONG, MultiHeadAttention
from seq2see.nn.blocks import Block, Past
from seq2see.nn.dropout import Dropout
from seq2see.nn.hooks import hooks_of
from seq2see.nn.lean import Lean, across, own, think
from seq2see.nn.masks import additive, causal, over_keys
from seq2see.nn.norms import Norm
from seq2see.nn.places import Keeping, Places, Reading
from seq2see.nn.recurrent import Hidden, Recurrence
from seq2see.nn.settings import RecurrentSettings, TransformerSettings
from seq2see.nn.state import Memory, TensorState
from seq2see.nn.state_attention import StateAttention
from seq2see.nn.tap import Tap, any_watched

TERM = "term"
"""Name in a state of what is added to the scores of the sources' positions; where there is one,
steps can be lean."""


class TransformerDecoder(nn.Module):
    """A stack of blocks in which a position looks at its past and at the source.

    Its state is the keys and values of the positions so far (the cache), and those of the source.
    Hypotheses of a source share a cache where nothing asks for one a row: no role, no penalty for
    distance, nobody who watches self-attention.

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
        self._lean: Lean | None = None

    def block(self, layer: int) -> Block:
        """Returns the block of that number, counted from 0."""
        return self.get_submodule(str(layer))  # type: ignore[return-value]

    def start(self, memory: Memory) -> TensorState:
        """Projects the source's keys and values once for all steps."""
        lean = None if self.training else Lean(self, map(self.block, range(self.depth)))
        self._lean = lean  # of the module and not of the state, which knows no blocks
        source = {"real": memory.real, **self.keeping.of_source(self, memory)}
        short = memory.real.shape[1] < LONG
        if short and lean is not None and lean.applies and memory.real.any(1).all():
            source[TERM] = additive(over_keys(memory.real), memory.states.dtype)
        for layer in range(self.depth):
            cross: MultiHeadAttention = self.block(layer).cross  # type: ignore[assignment]
            k, v = cross.keys_values(memory.states)
            # Laid out for a product by head once, not anew at every step.
            source |= {f"{layer}.k": k.contiguous(), f"{layer}.v": v.contiguous()}
        if not self._shares():
            return TensorState(0, source, {})
        none = torch.zeros((len(memory.real), 0), dtype=torch.int64, device=memory.real.device)
        return TensorState(0, source, {ANCESTRY: none})

    def _shares(self) -> bool:
        return not self.training and self._unasked() and self.block(0).positions != "alibi"

    def _unasked(self) -> bool:
        """Whether no role and nobody who watches asks where each query of self-attention looks."""
        layers: list[MultiHeadAttention] = [
            self.block(layer).get_submodule("self")  # type: ignore[misc]
            for layer in range(self.depth)
        ]
        taps = [tap for each in layers for tap in (each.scores, each.pattern, each.context)]
        hooks = [hook for layer in layers for hook in hooks_of(layer)]
        return not (self.programmed or any_watched(taps) or any(hooks))

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
        if lean := self._leanly(x, state):
            return self._lean_step(lean, x, state)
        state = self._fitting(state)
        mask, tensors = self._mask(state, x)
        tensors |= self.keeping.of_target(self, state, read)
        places = self._places(state, read, x.shape[1])
        source, shared = dict(state.source), ANCESTRY in tensors
        kept, source_mask = source if shared else tensors, over_keys(source["real"])
        for layer in range(self.depth):
            cross = (source[f"{layer}.k"], source[f"{layer}.v"])
            names = (f"{layer}.past.k", f"{layer}.past.v")
            past: Past | None = None
            if state.length:
                past = Past(kept[names[0]], kept[names[1]], state.length)
            x, (k, v, _) = self.block(layer).decode(x, mask, (cross, source_mask), past, places)
            kept |= {names[0]: k, names[1]: v}
        after = TensorState(state.length + x.shape[1], source, tensors, state.width)
        return self.out(self.norm(x)), after

    def _leanly(self, x: Tensor, state: TensorState) -> Lean | None:
        """Returns what reads one more position of each row without taps, where that may be done."""
        lean, parts = self._lean, state.source
        if x.shape[1] != 1 or lean is None or TERM not in parts or ANCESTRY not in state.tensors:
            return None
        short = _entries(state) + state.width < LONG
        parted = not state.length and state.width > 1  # each row begins a cache of its own
        return lean if short and not parted and lean.applies and not self.training else None

    def _lean_step(self, lean: Lean, x: Tensor, state: TensorState) -> tuple[Tensor, TensorState]:
        source, width, ancestry = dict(state.source), state.width, state.tensors[ANCESTRY]
        before = _entries(state)
        ancestry, term = grown(ancestry, before, 1, width), None
        if width > 1 or before > state.length:
            term = additive(own_past(ancestry, before + width, 1, width), x.dtype)
        y = x.view(-1, width, x.shape[-1])  # source hypothesis d_model
        for layer, block in enumerate(lean.blocks):
            k, v = f"{layer}.past.k", f"{layer}.past.v"
            past = (source[k], source[v]) if state.length else None
            y, (source[k], source[v]) = own(block, y, term, past, state.length)
            y = across(block, y, (source[f"{layer}.k"], source[f"{layer}.v"]), source[TERM])
            y = think(block, y)
        after = TensorState(state.length + 1, source, {ANCESTRY: ancestry}, width)
        return self.norm(y).view_as(x), after

    def _fitting(self, state: TensorState) -> TensorState:
        """Gives each row a cache of its own where a shared one cannot go on."""
        early = not state.length and state.width > 1  # rows parted before there was a past
        if ANCESTRY not in state.tensors or (self._shares() and not early):
            return state
        source, tensors = dict(state.source), dict(state.tensors)
        ancestry = tensors.pop(ANCESTRY)
        for name in [name for name in source if ".past." in name]:
            tensors[name] = of_each_row(source.pop(name), ancestry)
        return replace(state, source=source, tensors=tensors)

    def _mask(self, state: TensorState, x: Tensor) -> tuple[Tensor | None, dict[str, Tensor]]:
        """Tells where new positions may look; with the state's tensors, the ancestry grown."""
        tensors, count = dict(state.tensors), x.shape[1]
        if count >= LONG and not state.length and self._unasked() and state.width == 1:
            if ANCESTRY in tensors:
                tensors[ANCESTRY] = grown(tensors[ANCESTRY], 0, count, 1)
            return None, tensors
        if ANCESTRY not in tensors:
            return causal(count, state.length + count, x.device), tensors
        before = _entries(state)
        alone = state.width == 1 and before == state.length  # as in greedy search
        ancestry = grown(tensors[ANCESTRY], before, count, state.width)
        tensors[ANCESTRY] = ancestry
        if alone:
            return causal(count, before + count, x.device), tensors
        entries = before + state.width * count
        return own_past(ancestry, entries, count, state.width), tensors

    def _places(
        self, state: TensorState, read: Tensor | None, count: int
    ) -> tuple[Places, Places] | tuple[None, None]:
        if not self.programmed:
            return None, None
        reading = Reading(state, read, count, self.ratio)
        return reading.own, reading.cross


def _entries(state: TensorState) -> int:
    """Counts the positions that the cache of a source holds."""
    return state.source["0.past.k"].shape[-2] if state.length else 0


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
