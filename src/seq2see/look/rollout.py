"""How much of each source token is left at each position after some layers, by attention alone."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.errors import ConfigError
from seq2see.look.trace import Trace


def rollout(trace: Trace) -> Float[Tensor, "layer pair source source"]:
    r"""Follows attention through the encoder's layers.

    $$\tilde{A}_l = \mathrm{rows}\big((\bar{A}_l + I) / 2\big)\,\tilde{A}_{l-1}, \qquad
      \tilde{A}_0 = I$$

    with the mean of a layer's heads and each row divided by its sum; the identity stands for the
    residual. Values, norms and feed-forward layers are left out, and the mean hides what single
    heads do: compare it with other measures and trust none alone. Source: Abnar and Zuidema 2020,
    section 3.

    Args:
        trace: of a Transformer.

    Returns:
        After each layer: how much of the token at each position (the last axis) is left at each
        position (the last but one). Rows sum to 1; those at padding mean nothing.

    Raises:
        ConfigError: the trace is of a recurrent network.
    """
    names = [f"encoder.{layer}.self.pattern" for layer in range(len(trace.values))]
    found = [trace.values[name] for name in names if name in trace.values]
    if not found:
        raise ConfigError(
            "the encoder has no self-attention", where="rollout", mend="Trace a Transformer"
        )
    size = found[0].shape[-1]
    same = torch.eye(size).expand(len(trace), size, size)  # pair source source
    flow, layers = same, []
    for pattern in found:
        # Where pruning has left no head, the residual alone hands on.
        mean = pattern.mean(1) if pattern.shape[1] else torch.zeros_like(same)
        mixed = mean + same
        flow = mixed / mixed.sum(-1, keepdim=True) @ flow
        layers.append(flow)
    return torch.stack(layers)
