"""What a network would say if it ended after each of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seq2see.data.rows import Texts, as_pairs
from seq2see.data.tokenizers import PAD
from seq2see.decode.generate import evaluating
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.capture import capture, gradients
from seq2see.look.edit import edited
from seq2see.look.forced import force
from seq2see.look.names import Site, find, only, sites
from seq2see.look.trace import Tokens, log_likelihood
from seq2see.nn.decoder import TransformerDecoder
from seq2see.nn.encoder import TransformerEncoder
from seq2see.nn.hooks import After, Hooks
from seq2see.nn.network import Network


@dataclass(frozen=True, eq=False)
class Lens:
    """What each layer of a decoder would predict, as `lens` reads it.

    Rows are pairs, padded on the right to the longest target; `target` tells how long each is.

    Args:
        logits: of the whole vocabulary.
        wanted: the ids that were to be predicted; what stands at padding means nothing.
        target: pieces of each target, its end mark included.
        best: the piece that each layer finds most probable at each position, by pair and layer.
    """

    logits: Float[Tensor, "pair layer target vocabulary"] = field(repr=False)
    wanted: Int[Tensor, "pair target"] = field(repr=False)
    target: Tokens
    best: tuple[Tokens, ...]

    @property
    def scores(self) -> Float[Tensor, "pair layer target"]:
        """The log-probability that each layer gives each target token, in nats; 0 at padding."""
        wanted = self.wanted[:, None, :, None].expand(-1, self.logits.shape[1], -1, 1)
        each = self.logits.log_softmax(-1).gather(-1, wanted).squeeze(-1)
        return each.masked_fill((self.wanted == PAD)[:, None], 0.0)

    @property
    def likelihood(self) -> Float[Tensor, "pair layer"]:
        """The log-probability that each layer gives the whole target, in nats."""
        return self.scores.sum(-1)

    def settled(self, i: int) -> tuple[int | None, ...]:
        """Tells from which layer on each token of pair i is the most probable one, to the last.

        None where the last layer prefers another token.
        """
        length = len(self.target[i])
        right = self.logits[i, :, :length].argmax(-1) == self.wanted[i, :length]  # layer target
        lasting = right.flip(0).cumprod(0).sum(0).tolist()  # how many of the last layers agree
        return tuple(len(right) - count if count else None for count in lasting)


def lens(translator: Translator, texts: Texts, targets: str | Sequence[str] | None = None) -> Lens:
    r"""Reads what each layer of the decoder would predict, while it is forced along targets.

    $$\mathrm{logits}_l = \mathrm{norm}(x_l)\,E^\top$$

    with $x_l$ the stream after layer l, the decoder's final norm and its output matrix. Where norms
    stand after the addition there is no final norm, and $x_l$ has just left one: it is read as it
    is. Of a recurrent decoder the states $h_l$ of layer l are read out in the place of the last
    one's, together with the same context: $\tanh(W\,[h_l; c])\,E^\top$. What is read of the last
    layer is what the network predicts. The logits of all pairs and layers are held at once. Source:
    nostalgebraist 2020 (logit lens).

    Args:
        translator: the model; its options decide how it searches where no target is given.
        texts: the sources.
        targets: one a source. None takes each `Pair`'s own target and, where there is none, the
            best output of the model.

    Raises:
        ConfigError: the decoder is recurrent and has one layer, or the model is an ensemble.
        DataError: there is no source.
        DecodingError: there are not as many targets as sources.
    """
    network = only(translator.network)
    layers = _decoder_layers(network)
    forced = force(translator, texts, targets)
    given = forced.together(network)
    context = [site for name, site in sites(network).items() if name == "decoder.cross.context"]
    captured, _ = capture(network, given, [*layers, *context])
    [seen] = captured[context[0].name] if context else [None]
    with evaluating(network), gradients(False):
        each = [_read_out(network, captured[site.name][0], seen) for site in layers]
    logits = torch.stack(each, dim=1).float().cpu()
    piece = forced.tokenizers.target.pieces
    best = tuple(
        tuple(piece(ids[: len(target)], unknown) for ids in layer)
        for layer, target, unknown in zip(
            logits.argmax(-1).tolist(), forced.targets, forced.unknowns, strict=True
        )
    )
    return Lens(logits, given.wanted.cpu(), forced.target_tokens, best)


@dataclass(frozen=True, eq=False)
class EncoderLens:
    """What a model says when its decoder sees the source as each layer of the encoder leaves it.

    Args:
        texts: the best output of each pair, by layer: `texts[layer][pair]`.
        likelihood: the log-probability of each target as a whole, in nats.
        target: pieces of each target, its end mark included.
    """

    texts: tuple[tuple[str, ...], ...]
    likelihood: Float[Tensor, "pair layer"]
    target: Tokens


def decoder_lens(
    translator: Translator, texts: Texts, targets: str | Sequence[str] | None = None
) -> EncoderLens:
    """Lets the decoder see the source as it stands after each layer of the encoder.

    The layers above are left out: the states after layer l pass the encoder's final norm, where it
    has one, and are what the decoder attends to. Of a recurrent encoder also the last states after
    layer l, from which the decoder starts, stand for those of the layers above. With the last layer
    the model is as it always is. Source: Langedijk et al. 2023, section 3 (DecoderLens).

    Args:
        translator: the model; its options decide how it searches.
        texts: the sources.
        targets: the references whose probability is taken, one a source. None takes each `Pair`'s
            own target and, where there is none, the best output of the whole model.

    Raises:
        ConfigError: the encoder is recurrent and has one layer, or the model is an ensemble.
        DataError: there is no source.
        DecodingError: there are not as many targets as sources.
    """
    network = only(translator.network)
    depth = network.encoder.depth
    _check_several(network.encoder, "encoder")
    forced, pairs = force(translator, texts, targets), as_pairs(texts)
    given = forced.together(network)
    said, likelihood = [], []
    for layer in range(depth):
        with edited(translator, [_Until(layer)]):
            said.append(tuple(nbest[0].text for nbest in translator.translate(pairs)))
            _, logits = capture(network, given, [])
        likelihood.append(log_likelihood(logits, given.wanted).float().cpu())
    return EncoderLens(tuple(said), torch.stack(likelihood, dim=1), forced.target_tokens)


@dataclass(frozen=True)
class _Until:
    """Hands on what an encoder's layer has found in the place of what all layers above find."""

    layer: int

    def hooks(self, translator: Translator) -> Hooks:
        network = only(translator.network)
        transformer = isinstance(network.encoder, TransformerEncoder)
        ways = ("out",) if transformer else _ways(network)
        after = []
        for way in ways:
            kept: list[Tensor] = []  # what passed last, one tensor at most
            first = find(network, f"encoder.{self.layer}.{way}")
            after.append((first.tap, _keeping(kept)))
            for above in range(self.layer + 1, network.encoder.depth):
                site = find(network, f"encoder.{above}.{way}")
                after.append((site.tap, _giving(kept)))
        return Hooks(after=after)


def _ways(network: Network) -> tuple[str, ...]:
    both = ("forwards.states", "backwards.states")
    return tuple(way for way in both if f"encoder.0.{way}" in sites(network))


def _keeping(kept: list[Tensor]) -> After:
    def keep(value: Tensor) -> None:
        kept[:] = [value]

    return keep


def _giving(kept: list[Tensor]) -> After:
    return lambda _: kept[0]


def _decoder_layers(network: Network) -> list[Site]:
    decoder = network.decoder
    _check_several(decoder, "decoder")
    last = "out" if isinstance(decoder, TransformerDecoder) else "states"
    return [find(network, f"decoder.{layer}.{last}") for layer in range(decoder.depth)]


def _read_out(
    network: Network,
    value: Float[Tensor, "row target d_layer"],
    context: Float[Tensor, "row target d_memory"] | None,
) -> Float[Tensor, "row target vocabulary"]:
    """Does what the network does with the last layer."""
    decoder = network.decoder
    if isinstance(decoder, TransformerDecoder):
        hidden = decoder.norm(value)
    else:
        seen = value if context is None else torch.cat([value, context], dim=-1)
        hidden = torch.tanh(decoder.readout(seen))
    return network.logits(decoder.out(hidden))


def _check_several(part: torch.nn.Module, name: str) -> None:
    transformer = isinstance(part, TransformerDecoder | TransformerEncoder)
    if not transformer and part.depth == 1:
        raise ConfigError(
            f"a recurrent {name} of one layer, which is all that the network predicts by",
            expected="several layers to look between",
            where=f"model.{name}_layers",
            mend=f"Train a model with model.{name}_layers=2 or more",
        )
