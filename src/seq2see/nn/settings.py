"""What a network is made of: one frozen record for Transformers, one for recurrent networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from seq2see.errors import ConfigError
from seq2see.nn.feedforward import FeedForwardKind
from seq2see.nn.heads import HeadSizes, check_maps
from seq2see.nn.kept import KeptHeads, check_kept
from seq2see.nn.norms import GROUPS, POOLS_OVER_TIME, NormKind
from seq2see.nn.plan import Frame, HeadRole
from seq2see.nn.state_attention import ScoreKind

Tied = Literal["all", "decoder", "none"]
CellKind = Literal["rnn", "gru", "lstm"]


@dataclass(frozen=True)
class TransformerSettings:
    """The sizes and switches of a Transformer. 0 for a size means: derived as said.

    Args:
        encoder_layers: blocks of the encoder.
        decoder_layers: blocks of the decoder.
        d_model: features of the vectors between the layers.
        d_ff: neurons of a feed-forward layer.
        heads: parallel attentions of a layer; d_model must be divisible by it.
        kv_heads: heads of keys and values (0: as many as `heads`).
        d_key: features of a query or key, per head (0: d_model / heads).
        d_value: features of a value, per head (0: d_model / heads).
        scaled: whether scores are divided by sqrt(d_key).
        projections: whether Q, K, V and the output have linear maps; False is raw self-attention.
        tied_query_key: whether one map serves query and key.
        value_projection: whether values have a linear map; without it they are the vectors' own
            features, cut into heads, and only the output map mixes them.
        feedforward: kind of the feed-forward layer; `none` leaves it out.
        positions: how a token knows where it stands.
        frequencies: how many sinusoids a position has, from the fastest on, each a sine and a
            cosine; the other features of its code are 0 (0: all, d_model / 2).
        max_positions: size of the table when `positions` is `learned`.
        norm: what normalisation averages over.
        decoder_norm: the same for the decoder (`same`: as `norm`).
        norm_place: `before` the sub-layer or `after` the addition, as in 2017.
        residual: whether a sub-layer's input is added to its output.
        tied: which matrices are one: `all` (source, target, output), `decoder` (target, output),
            `none`.
        dropout: share of a sub-layer's output, and of the embeddings, dropped while training.
        attention_dropout: share of attention weights dropped while training.
        feedforward_dropout: share of feed-forward neurons dropped while training.
        kept: the heads that stand of each attention that was pruned; the others have all theirs.
        roles: the heads that are given a function, each by a table of its own.
        length_ratio: target tokens for one source token, by which roles know how long a target will
            be (0: derived, where a head has a role; 1 where there are no data).
    """

    kind: Literal["transformer"] = "transformer"
    encoder_layers: int = 3
    decoder_layers: int = 3
    d_model: int = 256
    d_ff: int = 1024
    heads: int = 4
    kv_heads: int = 0
    d_key: int = 0
    d_value: int = 0
    scaled: bool = True
    projections: bool = True
    tied_query_key: bool = False
    value_projection: bool = True
    feedforward: FeedForwardKind = "relu"
    positions: Literal["sinusoidal", "learned", "rotary", "alibi", "none"] = "sinusoidal"
    frequencies: int = 0
    max_positions: int = 512
    norm: NormKind = "layer"
    decoder_norm: NormKind | Literal["same"] = "same"
    norm_place: Literal["before", "after"] = "before"
    residual: bool = True
    tied: Tied = "decoder"
    dropout: float = 0.1
    attention_dropout: float = 0.0
    feedforward_dropout: float = 0.0
    kept: tuple[KeptHeads, ...] = ()
    roles: tuple[HeadRole, ...] = ()
    length_ratio: float = 0.0

    def __post_init__(self) -> None:
        _check_rates(self, "dropout", "attention_dropout", "feedforward_dropout")
        _check_sizes(self, "encoder_layers", "decoder_layers", "d_model", "d_ff", "heads")
        _check_sizes(self, "max_positions")
        _check_sizes(self, "kv_heads", "d_key", "d_value", "frequencies", least=0)
        self._check_heads()
        check_maps(self.head_sizes)
        self._check_frequencies()
        self._check_norms()
        check_kept(
            self.kept,
            self.attentions,
            self.heads,
            projections=self.projections,
            value_projection=self.value_projection,
            programmed={each.at for each in self.roles},
        )
        self._check_roles()

    def _check_heads(self) -> None:
        if self.d_model % self.heads and not (self.d_key and self.d_value):
            raise ConfigError(
                f"d_model {self.d_model} is not divisible by {self.heads} heads",
                where="model.heads",
                mend="Choose another number of heads, or give model.d_key and model.d_value",
            )
        if self.heads % (self.kv_heads or self.heads):
            raise ConfigError(
                f"{self.heads} heads cannot share {self.kv_heads} key-value heads",
                where="model.kv_heads",
                mend="Choose a divisor of model.heads",
            )
        if self.positions == "rotary" and self.head_sizes.d_key % 2:
            raise ConfigError(
                f"rotary positions turn pairs of features, and d_key is {self.head_sizes.d_key}",
                where="model.positions",
                mend="Make d_model / heads even",
            )
        if not self.projections and (self.kv_heads or self.d_key or self.d_value):
            raise ConfigError(
                "without projections the vectors themselves are queries, keys and values, so their"
                " sizes cannot be chosen",
                where="model.projections",
                mend="Leave model.kv_heads, model.d_key and model.d_value out",
            )

    def _check_frequencies(self) -> None:
        if self.frequencies and self.positions != "sinusoidal":
            raise ConfigError(
                f"found {self.frequencies}, and {self.positions} positions are no sum of sinusoids",
                where="model.frequencies",
                mend="Leave it out, or set model.positions=sinusoidal",
            )
        if self.frequencies > self.d_model // 2:
            raise ConfigError(
                f"found {self.frequencies}",
                expected=f"at most {self.d_model // 2}, a sine and a cosine each of d_model"
                f" {self.d_model} features",
                where="model.frequencies",
            )

    def _check_norms(self) -> None:
        if "group" in (self.norm, self.norm_in_decoder) and self.d_model % GROUPS:
            raise ConfigError(
                f"group normalisation cuts features into {GROUPS} groups, and d_model is"
                f" {self.d_model}",
                where="model.norm",
                mend=f"Make model.d_model a multiple of {GROUPS}, or choose another norm",
            )
        if self.norm_in_decoder in POOLS_OVER_TIME:
            raise ConfigError(
                f"{self.norm_in_decoder} normalisation averages over positions, so in a decoder the"
                " past would see the future",
                where="model.norm",
                mend="Keep it in the encoder and set model.decoder_norm=layer",
            )

    def _check_roles(self) -> None:
        if not (math.isfinite(self.length_ratio) and self.length_ratio >= 0):
            raise ConfigError(
                f"found {self.length_ratio}",
                expected="a finite number from 0 on",
                where="model.length_ratio",
            )
        sizes = self.head_sizes
        frame = Frame(
            self.attentions,
            sizes.heads,
            sizes.d_key,
            shared=sizes.kv_heads < sizes.heads,
            projections=sizes.projections,
            tied=sizes.tied_query_key,
            positions=self.positions,
            frequencies=self.frequencies,
        )
        frame.check(self.roles)

    def roles_at(self, name: str) -> tuple[HeadRole, ...]:
        """Returns the roles of the heads of one attention, as `decoder.0.cross`."""
        return tuple(each for each in self.roles if each.at == name)

    def programmed(self, side: str) -> tuple[HeadRole, ...]:
        """Returns the roles that the network's own working depends on, in encoder or decoder."""
        return tuple(
            each for each in self.roles if each.programmes and each.at.startswith(f"{side}.")
        )

    @property
    def norm_in_decoder(self) -> NormKind:
        """The decoder's normalisation, with `same` resolved."""
        return self.norm if self.decoder_norm == "same" else self.decoder_norm

    @property
    def attentions(self) -> list[str]:
        """The names of all attentions, in the network's order."""
        encoder = [f"encoder.{layer}.self" for layer in range(self.encoder_layers)]
        layers = range(self.decoder_layers)
        decoder = [f"decoder.{layer}.{each}" for layer in layers for each in ("self", "cross")]
        return encoder + decoder

    @property
    def head_sizes(self) -> HeadSizes:
        """The sizes of every attention before any was pruned, with zeros resolved."""
        each = self.d_model // self.heads
        return HeadSizes(
            d_model=self.d_model,
            heads=self.heads,
            kv_heads=self.kv_heads or self.heads,
            d_key=self.d_key or each,
            d_value=self.d_value or each,
            scaled=self.scaled,
            projections=self.projections,
            tied_query_key=self.tied_query_key,
            value_projection=self.value_projection,
            dropout=self.attention_dropout,
        )


@dataclass(frozen=True)
class RecurrentSettings:
    """The sizes and switches of a recurrent encoder and decoder.

    Args:
        kind: the cell: `rnn` (tanh), `gru` or `lstm`.
        bidirectional: whether a second encoder, with parameters of its own, reads backwards.
        attention: how the decoder scores encoder states; `none` leaves it the fixed vector alone.
        encoder_layers: layers of the encoder.
        decoder_layers: layers of the decoder.
        d_embedding: features of a token's embedding.
        d_hidden: features of a hidden state, per direction.
        forget_bias: initial bias of the LSTM's forget gate.
        tied: which matrices are one: `all` (source, target, output), `decoder` (target, output),
            `none`.
        dropout: share of embeddings, of states between layers and of the read-out dropped in
            training.
    """

    kind: CellKind
    bidirectional: bool = True
    attention: ScoreKind | Literal["none"] = "additive"
    encoder_layers: int = 1
    decoder_layers: int = 1
    d_embedding: int = 256
    d_hidden: int = 256
    forget_bias: float = 1.0
    tied: Tied = "decoder"
    dropout: float = 0.1

    def __post_init__(self) -> None:
        _check_rates(self, "dropout")
        _check_sizes(self, "encoder_layers", "decoder_layers", "d_embedding", "d_hidden")
        if self.attention == "dot" and self.bidirectional:
            raise ConfigError(
                "dot attention compares vectors of one size, and a bi-directional encoder's states"
                " are twice as wide as the decoder's",
                where="model.attention",
                mend="Use model.attention=general, or model.bidirectional=false",
            )

    @property
    def d_memory(self) -> int:
        """Features of an encoder state, both directions together."""
        return self.d_hidden * (2 if self.bidirectional else 1)


Settings = TransformerSettings | RecurrentSettings


def _check_rates(settings: Settings, *names: str) -> None:
    for name in names:
        if not 0 <= getattr(settings, name) < 1:
            raise ConfigError(
                f"{getattr(settings, name)} is no dropout rate",
                expected="a number from 0 to below 1",
                where=f"model.{name}",
            )


def _check_sizes(settings: Settings, *names: str, least: int = 1) -> None:
    for name in names:
        if getattr(settings, name) < least:
            raise ConfigError(
                f"found {getattr(settings, name)}",
                expected=f"at least {least}",
                where=f"model.{name}",
            )
