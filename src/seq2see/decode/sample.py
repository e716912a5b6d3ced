"""Sampling: draw each token from the model's distribution, or from the head of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.decode.options import SearchOptions
from seq2see.decode.request import Request
from seq2see.decode.rules import NEVER
from seq2see.decode.search import Choices, Live


@dataclass(frozen=True)
class Sampler:
    r"""Draws the next token of every row.

    $$y = \arg\max_i\, (z_i / T - \ln e_i), \qquad e_i \sim \mathrm{Exp}(1)$$

    is distributed as softmax(z / T), and hardly moves where rounding moves z. Each row has a random
    generator of its own, so that its draws do not depend on the rows beside it.

    Source: Gumbel 1954 (the maximum of perturbed scores).

    Args:
        generators: one a row of the group.
        options: temperature, top-k and top-p.
    """

    generators: Sequence[np.random.Generator]
    options: SearchOptions
    width: int = 1

    @classmethod
    def over(cls, requests: Sequence[Request], options: SearchOptions) -> Sampler:
        """Seeds each request's generator with the seed, its line and which sample of it this is."""
        seeds = ((options.seed, request.line, request.draw) for request in requests)
        return cls([np.random.default_rng(seed) for seed in seeds], options)

    def choose(self, scores: Float[Tensor, "row 1 vocabulary"], live: Live) -> Choices:
        """Draws one token a row."""
        heated = head(scores[:, 0] / self.options.temperature, self.options)
        noise = np.empty(heated.shape, np.float32)
        for i, row in enumerate(live.row.tolist()):
            self.generators[row].standard_exponential(dtype=np.float32, out=noise[i])
        # Zero comes up once in some million draws; its logarithm would choose a forbidden token.
        luck = torch.from_numpy(noise).clamp_(min=1e-30).log_().to(scores.device)
        token = (heated - luck).argmax(1, keepdim=True)
        score = scores[:, 0].gather(1, token)
        return Choices(torch.zeros_like(token), token, score, live.total + score)


def head(
    logits: Float[Tensor, "row vocabulary"], options: SearchOptions
) -> Float[Tensor, "row vocabulary"]:
    """Sets all but the most probable tokens to minus infinity.

    Source: top-k: Fan et al. 2018, section 5.1; top-p (nucleus): Holtzman et al. 2020, section 3.1.

    Args:
        logits: after the temperature.
        options: `top_k` and then `top_p` cut; the token that reaches `top_p` still belongs.
    """
    size = logits.shape[1]
    if options.top_p == 1 and not 0 < options.top_k < size:
        return logits
    kept = min(options.top_k or size, size)
    values, tokens = logits.topk(kept, dim=1)
    share = values.softmax(1)
    before = share.cumsum(1) - share
    values = values.masked_fill(before >= options.top_p, NEVER)
    return torch.full_like(logits, NEVER).scatter(1, tokens, values)
