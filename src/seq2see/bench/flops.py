"""How many floating-point operations a network needs, by formula from its settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seq2see.data.batches import Batch
from seq2see.data.tokenizers import PAD
from seq2see.nn.heads import HeadSizes
from seq2see.nn.network import Sizes
from seq2see.nn.recurrent import GATES
from seq2see.nn.settings import RecurrentSettings, Settings, TransformerSettings

_PASSES = 3
"""A product costs its like once more for the gradient of each of its two factors."""


@dataclass(frozen=True)
class Load:
    r"""How much there is to read and to write: sums over pairs of s source and t target tokens.

    Args:
        pairs: the pairs.
        source: $\sum s$.
        target: $\sum t$.
        source_source: $\sum s^2$, what the encoder's positions look at.
        target_target: $\sum t^2$, what the decoder's positions look at.
        target_source: $\sum t s$, what the decoder's positions look at in the source.
    """

    pairs: int
    source: int
    target: int
    source_source: int
    target_target: int
    target_source: int

    @classmethod
    def of(cls, batch: Batch) -> Load:
        """Counts the real tokens of a batch; padding is no work that anybody wants done."""
        return cls.of_lengths(batch.real.sum(1).numpy(), (batch.wanted != PAD).sum(1).numpy())

    @classmethod
    def of_lengths(cls, source: npt.NDArray[np.int64], target: npt.NDArray[np.int64]) -> Load:
        """Counts pairs of the given lengths in tokens."""
        products = (source @ source, target @ target, target @ source)
        return cls(len(source), int(source.sum()), int(target.sum()), *map(int, products))


def of_training(settings: Settings, sizes: Sizes, load: Load) -> int:
    r"""Counts the operations of one update on `load`, in floating-point operations.

    $$3 \sum_{\text{products}} 2\,n\,d_{in}\,d_{out}$$

    for n vectors of d_in features that become d_out: once forward, and twice for the gradients of
    the vectors and of the matrix. Matrix products alone count, attention's among them, and at real
    tokens; attention is counted as the equation has it, future positions included. This is what
    model FLOPs utilisation divides by the time and by the machine's peak.
    Source: Chowdhery et al. 2022, appendix B.
    """
    return _PASSES * of_reading(settings, sizes, load) - _constant_states(settings, load)


def of_reading(settings: Settings, sizes: Sizes, load: Load) -> int:
    """Counts the operations of one forward pass with teacher forcing, the logits included."""
    if isinstance(settings, TransformerSettings):
        body, width = _transformer(settings, load), settings.d_model
    else:
        body, width = _recurrent(settings, load), settings.d_embedding
    return body + 2 * load.target * width * sizes.target


def _transformer(settings: TransformerSettings, load: Load) -> int:
    heads = settings.head_sizes
    bent = _feedforward(settings)
    encoder = load.source * (_queries(heads) + _keys_values(heads) + bent)
    encoder += load.source_source * _looks(heads)
    decoder = load.target * (2 * _queries(heads) + _keys_values(heads) + bent)
    decoder += load.source * _keys_values(heads)
    decoder += (load.target_target + load.target_source) * _looks(heads)
    return settings.encoder_layers * encoder + settings.decoder_layers * decoder


def _queries(heads: HeadSizes) -> int:
    """Counts a token's query and the output that its heads become."""
    return 2 * heads.d_model * heads.heads * (heads.d_key + heads.d_value) * heads.projections


def _keys_values(heads: HeadSizes) -> int:
    features = heads.d_key + heads.d_value * heads.value_projection
    return 2 * heads.d_model * heads.kv_heads * features * heads.projections


def _looks(heads: HeadSizes) -> int:
    """Counts what all heads do for one query and one key: a score, and a weighted value."""
    return 2 * heads.heads * (heads.d_key + heads.d_value)


def _feedforward(settings: TransformerSettings) -> int:
    matrices = {"none": 0, "swiglu": 3}.get(settings.feedforward, 2)
    return 2 * matrices * settings.d_model * settings.d_ff


def _recurrent(settings: RecurrentSettings, load: Load) -> int:
    hidden, memory = settings.d_hidden, settings.d_memory
    gates = len(GATES[settings.kind]) * hidden
    attends = settings.attention != "none"
    seen = hidden + memory * attends
    encoder, decoder, width = 0, 0, settings.d_embedding
    for _ in range(settings.encoder_layers):
        encoder += 2 * gates * (width + hidden) * (1 + settings.bidirectional)
        width = memory
    width = settings.d_embedding
    for _ in range(settings.decoder_layers):
        decoder += 2 * gates * (width + hidden)
        width = seen
    starts = 2 * memory * hidden * (1 + (settings.kind == "lstm")) * settings.decoder_layers
    decoder += 2 * seen * settings.d_embedding  # the read-out
    total = load.source * encoder + load.target * decoder + load.pairs * starts
    return total + _state_attention(settings, load)


def _constant_states(settings: Settings, load: Load) -> int:
    """Counts the gradients of the encoder's first states, which are zero and not trained."""
    if isinstance(settings, TransformerSettings):
        return 0
    gates = len(GATES[settings.kind]) * settings.d_hidden
    ways = settings.encoder_layers * (1 + settings.bidirectional)
    return 2 * load.pairs * ways * gates * settings.d_hidden


def _state_attention(settings: RecurrentSettings, load: Load) -> int:
    hidden, memory = settings.d_hidden, settings.d_memory
    if settings.attention == "none":
        return 0
    looks = 2 * load.target_source * (hidden + memory)  # a score, and a weighted encoder state
    if settings.attention == "dot":
        return looks
    keys = 2 * load.source * memory * hidden
    queries = 2 * load.target * hidden * hidden * (settings.attention == "additive")
    return looks + keys + queries
