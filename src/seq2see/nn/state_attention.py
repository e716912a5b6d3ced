"""How the state of a recurrent decoder looks at all encoder states."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn

from seq2see.nn.additive import additive_scores
from seq2see.nn.attention import attention_weights
from seq2see.nn.layout import by_source
from seq2see.nn.tap import Tap

ScoreKind = Literal["dot", "general", "additive"]


class StateAttention(nn.Module):
    r"""Lets a recurrent decoder's state look at all encoder states.

    $$\mathrm{dot:}\ s_{ij} = q_i^\top k_j \qquad \mathrm{general:}\ s_{ij} = q_i^\top W k_j \qquad
      \mathrm{additive:}\ s_{ij} = v^\top \tanh(W q_i + U k_j)$$

    Source: dot and general: Luong et al. 2015, eq. 8; additive: Bahdanau et al. 2015, appendix
        A.1.2.
    `dot` compares vectors of one size, so it needs d_query = d_memory.

    Taps: `q` and `k`, what is compared, `[row, position, d_query]`; `scores`, `pattern`
    `[row, 1, query, key]` (one head), `context`.
    """

    def __init__(self, kind: ScoreKind, d_query: int, d_memory: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "general":
            self.key = nn.Linear(d_memory, d_query, bias=False)
        elif kind == "additive":
            self.query = nn.Linear(d_query, d_query, bias=False)
            self.key = nn.Linear(d_memory, d_query)
            self.energy = nn.Linear(d_query, 1, bias=False)
        self.q, self.k = Tap(), Tap()
        self.scores, self.pattern, self.context = Tap(), Tap(), Tap()

    def keys(self, memory: Float[Tensor, "row key d_memory"]) -> Float[Tensor, "row key d_query"]:
        """Prepares the encoder states once for all queries."""
        return self.k(memory if self.kind == "dot" else self.key(memory))

    def forward(
        self,
        q: Float[Tensor, "row query d_query"],
        k: Float[Tensor, "source key d_query"],
        memory: Float[Tensor, "source key d_memory"],
        real: Bool[Tensor, "source key"],
    ) -> Float[Tensor, "row query d_memory"]:
        """Returns the mean of the encoder states, weighted by how well each matches the query.

        Args:
            q: what looks; as many rows in succession to each source.
            k: from `keys`, one row a source.
            memory: the encoder states, one row a source.
            real: which of them are tokens.
        """
        shape = q.shape[:2]
        taps = (self.q, self.scores, self.pattern, self.context)
        q, (k, memory, real) = by_source(q, (k, memory, real), taps)
        q = self.q(self.query(q) if self.kind == "additive" else q)
        if self.kind == "additive":
            scores = additive_scores(q, k, self.energy.weight[0])
        else:
            scores = q @ k.transpose(-2, -1)
        scores = self.scores(scores[:, None])  # row 1 query key
        pattern = self.pattern(attention_weights(scores, real[:, None, None]))
        return self.context(pattern.squeeze(1) @ memory).view(*shape, -1)
