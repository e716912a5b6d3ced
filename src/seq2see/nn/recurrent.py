"""Recurrence: far information has to pass through every step."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seq2see.nn.settings import CellKind
from seq2see.nn.tap import Tap, any_watched

GATES: dict[CellKind, tuple[str, ...]] = {
    "rnn": ("candidate",),
    "gru": ("reset", "update", "candidate"),
    "lstm": ("input", "forget", "candidate", "output"),
}
"""The blocks of rows in the weight matrices, in torch's order."""

_QUIET = 0.3
"""Gain of the input weights of a vanilla RNN. Inputs have variance 1; at gain 1 its tanh begins so
near its ends that hardly a gradient comes through it, and on words of eight letters such a network
had learnt nothing of the source after 3,000 updates. The gates of a GRU or an LSTM let the state
pass around it.
"""

Hidden = tuple[Tensor, ...]
"""The state between two steps: (h,) or, for an LSTM, (h, c); each `[row, d_hidden]`."""


class Recurrence(nn.Module):
    r"""One layer that reads in one direction.

    $$\mathrm{rnn:}\ h_t = \tanh(W x_t + b + U h_{t-1} + b')$$

    $$\mathrm{gru:}\ r, z = \sigma(W_{r,z} x_t + U_{r,z} h_{t-1}),\quad
      n = \tanh(W_n x_t + r \odot (U_n h_{t-1})),\quad h_t = (1 - z) \odot n + z \odot h_{t-1}$$

    $$\mathrm{lstm:}\ i, f, o = \sigma(W_{i,f,o} x_t + U_{i,f,o} h_{t-1}),\quad
      g = \tanh(W_g x_t + U_g h_{t-1}),\quad c_t = f \odot c_{t-1} + i \odot g,\quad
      h_t = o \odot \tanh(c_t)$$

    with biases as in the first line everywhere. Source: Elman 1990; Cho et al. 2014 (gru, with the
    reset gate after the product as in cuDNN); Hochreiter and Schmidhuber 1997, Gers et al. 2000
    (lstm).

    Taps, once a step and `[row, d_hidden]`: the cell's gates by the names in `GATES`, `cell` of an
    LSTM, `hidden`. Once a sequence: `states`, `[row, step, d_hidden]`.
    """

    def __init__(self, kind: CellKind, d_in: int, d_hidden: int, forget_bias: float = 1.0) -> None:
        super().__init__()
        self.kind, self.d_hidden = kind, d_hidden
        rows = len(GATES[kind]) * d_hidden
        self.weight_input = nn.Parameter(torch.empty(rows, d_in))
        self.weight_hidden = nn.Parameter(torch.empty(rows, d_hidden))
        self.bias_input = nn.Parameter(torch.zeros(rows))
        self.bias_hidden = nn.Parameter(torch.zeros(rows))
        names = [*GATES[kind], *(["cell"] if kind == "lstm" else []), "hidden"]
        self.taps = {name: Tap() for name in names}
        for name, tap in self.taps.items():
            self.add_module(name, tap)
        self.states = Tap()
        self._draw(forget_bias)

    def _draw(self, forget_bias: float) -> None:
        # Orthogonal recurrent matrices keep the norm of a state over many steps.
        for block in self.weight_input.detach().chunk(len(GATES[self.kind])):
            nn.init.xavier_uniform_(block, gain=_QUIET if self.kind == "rnn" else 1.0)
        for block in self.weight_hidden.detach().chunk(len(GATES[self.kind])):
            nn.init.orthogonal_(block)
        if self.kind == "lstm":
            self.bias_input.detach()[self.d_hidden : 2 * self.d_hidden].fill_(forget_bias)

    def zero(self, x: Float[Tensor, "row step d_in"]) -> Hidden:
        """Returns the state before the first step."""
        h = x.new_zeros(x.shape[0], self.d_hidden)
        return (h, h) if self.kind == "lstm" else (h,)

    def forward(
        self, x: Float[Tensor, "row step d_in"], hidden: Hidden
    ) -> tuple[Float[Tensor, "row step d_hidden"], Hidden]:
        """Reads `x` step by step from state `hidden`.

        Returns:
            The hidden state after each step, and the whole state after the last step.
        """
        watched = any_watched(self.taps.values())
        states, last = (self._explicit if watched else self._fused)(x, hidden)
        return self.states(states), last

    def _fused(self, x: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        weights: list[Tensor] = [
            self.weight_input,
            self.weight_hidden,
            self.bias_input,
            self.bias_hidden,
        ]
        first = tuple(h[None].contiguous() for h in hidden)
        options = (True, 1, 0.0, self.training, False, True)
        if self.kind == "lstm":
            states, h, c = torch.lstm(x, first, weights, *options)
            return states, (h[0], c[0])
        kernel = torch.gru if self.kind == "gru" else torch.rnn_tanh
        states, h = kernel(x, first[0], weights, *options)
        return states, (h[0],)

    def _explicit(self, x: Tensor, hidden: Hidden) -> tuple[Tensor, Hidden]:
        from_input = x @ self.weight_input.T + self.bias_input  # row step gates
        states = []
        for step in range(x.shape[1]):
            hidden = self._step(from_input[:, step], hidden)
            states.append(hidden[0])
        return torch.stack(states, dim=1), hidden

    def _step(self, from_input: Tensor, hidden: Hidden) -> Hidden:
        tap = self.taps
        h = hidden[0]
        from_hidden = h @ self.weight_hidden.T + self.bias_hidden
        a = from_input.chunk(len(GATES[self.kind]), dim=-1)
        b = from_hidden.chunk(len(GATES[self.kind]), dim=-1)
        if self.kind == "rnn":
            return (tap["hidden"](tap["candidate"](torch.tanh(a[0] + b[0]))),)
        if self.kind == "gru":
            reset = tap["reset"](torch.sigmoid(a[0] + b[0]))
            update = tap["update"](torch.sigmoid(a[1] + b[1]))
            candidate = tap["candidate"](torch.tanh(a[2] + reset * b[2]))
            return (tap["hidden"]((1 - update) * candidate + update * h),)
        write = tap["input"](torch.sigmoid(a[0] + b[0]))
        forget = tap["forget"](torch.sigmoid(a[1] + b[1]))
        candidate = tap["candidate"](torch.tanh(a[2] + b[2]))
        show = tap["output"](torch.sigmoid(a[3] + b[3]))
        cell = tap["cell"](forget * hidden[1] + write * candidate)
        return tap["hidden"](show * torch.tanh(cell)), cell


def reverse(
    x: Float[Tensor, "row step d"], lengths: Int[Tensor, " row"]
) -> Float[Tensor, "row step d"]:
    """Turns each row's first `length` steps round and leaves its padding where it is.

    It is its own inverse.
    """
    step = torch.arange(x.shape[1], device=x.device)
    last = lengths[:, None] - 1
    index = torch.where(step <= last, last - step, step)
    return x.gather(1, index[..., None].expand_as(x))


def at_last(x: Float[Tensor, "row step d"], lengths: Int[Tensor, " row"]) -> Float[Tensor, "row d"]:
    """Takes each row's state after its last real step; zeros where a row has none."""
    last = x[torch.arange(len(x), device=x.device), (lengths - 1).clamp(min=0)]
    return last.masked_fill((lengths == 0)[:, None], 0.0)
