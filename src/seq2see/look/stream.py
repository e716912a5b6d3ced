"""The residual stream: how large it is, what each sub-layer writes, how alike its tokens become."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from seq2see.data.rows import Texts
from seq2see.data.tokenizers import PAD
from seq2see.decode.score import Given, side_by_side
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look.capture import gradients, watch
from seq2see.look.forced import force
from seq2see.look.names import only, sites
from seq2see.look.trace import log_likelihood
from seq2see.nn.blocks import Residual
from seq2see.nn.network import Network


@dataclass(frozen=True)
class Level:
    r"""The stream after one sub-layer, or after the embedding; see `stream`.

    Args:
        name: of the sub-layer's residual, as `encoder.0.around_self`, or of the embedding.
        norm: the mean norm of the stream's vectors.
        written: the mean norm of what the sub-layer adds; None of the embedding.
        share: the mean of that norm over the norm of what it is added to.
        similarity: the mean cosine between the vectors of two positions of a pair.
        residue: res(X), what of X is not the same at all positions: 0 where all are alike.
        gradient: the mean norm of the gradient of a pair's log-likelihood, in nats, by a vector.
    """

    name: str
    norm: float
    written: float | None
    share: float | None
    similarity: float
    residue: float
    gradient: float


def stream(
    translator: Translator, texts: Texts, targets: str | Sequence[str] | None = None
) -> tuple[Level, ...]:
    r"""Measures a Transformer's residual stream after each sub-layer, in the network's order.

    $$\mathrm{res}(X) = \lVert X - \mathbf{1}\bar{x}^\top \rVert_F / \lVert X \rVert_F$$

    with the mean $\bar{x}$ of a pair's vectors. Means are over the real positions of all pairs;
    similarity and res(X) are those of each pair, averaged over the pairs of two positions or more,
    and NaN where there is none. Source: Dong et al. 2021, section 2 (res, there in another norm);
    gradients by layer: Xiong et al. 2020, section 3, there by the weights.

    Args:
        translator: the model; its options decide how it searches where no target is given.
        texts: sources, or pairs.
        targets: one a source. None takes each `Pair`'s own target and, where there is none, the
            best output of the model.

    Raises:
        ConfigError: the network is recurrent and has no such stream, or the model is an ensemble.
        DataError: there is no source.
        DecodingError: there are not as many targets as sources.
    """
    network = only(translator.network)
    incoming = _incoming(network)
    forced = force(translator, texts, targets)
    tallies = {name: _Tally() for name in incoming}
    budget = translator.options.batch_tokens
    for given in side_by_side(network, forced.sources, forced.targets, budget):
        values, slopes = _values(network, given)
        for name, before in incoming.items():
            source = name.partition(".")[0] in ("source", "encoder")
            real = given.real if source else given.wanted != PAD
            tallies[name].add(values[name], slopes[name], real)
            if before:
                tallies[name].add_written(values[f"{name}.written"], values[before], real)
    return tuple(tally.level(name) for name, tally in tallies.items())


class _Tally:
    """What is known of one place of the stream so far, a number a position or a pair."""

    def __init__(self) -> None:
        self.seen: dict[str, list[Tensor]] = {}

    def _keep(self, name: str, values: Tensor) -> None:
        self.seen.setdefault(name, []).append(values.float().cpu())

    def add(
        self,
        x: Float[Tensor, "row position d_model"],
        slope: Float[Tensor, "row position d_model"],
        real: Bool[Tensor, "row position"],
    ) -> None:
        self._keep("norm", x.norm(dim=-1)[real])
        self._keep("gradient", slope.norm(dim=-1)[real])
        for row, kept in zip(x, real, strict=True):
            if int(kept.sum()) > 1:
                self._keep("similarity", similarity(row[kept])[None])
                self._keep("residue", residue(row[kept])[None])

    def add_written(self, written: Tensor, before: Tensor, real: Tensor) -> None:
        norms = written.norm(dim=-1)[real]
        self._keep("written", norms)
        self._keep("share", norms / before.norm(dim=-1)[real])

    def level(self, name: str) -> Level:
        mean = {key: float(torch.cat(each).mean()) for key, each in self.seen.items()}
        return Level(
            name,
            mean["norm"],
            mean.get("written"),
            mean.get("share"),
            mean.get("similarity", math.nan),
            mean.get("residue", math.nan),
            mean["gradient"],
        )


def similarity(x: Float[Tensor, "position d_model"]) -> Float[Tensor, ""]:
    """Returns the mean cosine between the vectors of two different positions."""
    unit = nn.functional.normalize(x, dim=-1)
    count = len(x)
    cosines = unit @ unit.T
    return (cosines.sum() - cosines.diagonal().sum()) / (count * (count - 1))


def residue(x: Float[Tensor, "position d_model"]) -> Float[Tensor, ""]:
    """Returns res(X), the share of the norm that is not the same at all positions; see `stream`."""
    return (x - x.mean(0)).norm() / x.norm()


def _incoming(network: Network) -> dict[str, str]:
    """Lists the embeddings and residuals; of each residual, the value that it adds to."""
    found: dict[str, str] = {}
    for side, part in (("source", "encoder"), ("target", "decoder")):
        before = f"{side}.out"
        found[before] = ""
        block = f"{part}.0"
        for name, module in network.named_modules():
            if isinstance(module, Residual) and name.startswith(f"{part}."):
                home = name.rpartition(".")[0]
                if home != block:
                    before, block = f"{block}.out", home
                found[name], before = before, name
    if len(found) == 2:
        raise ConfigError(
            "a recurrent network has no residual stream",
            where="stream",
            mend="Look at its states by trace, or at what is left of early inputs by distances",
        )
    return found


def _values(network: Network, given: Given) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Returns what passes the stream and is written to it, and gradients of the log-likelihood."""
    modules: dict[str, nn.Module] = {
        name: module for name, module in network.named_modules() if isinstance(module, Residual)
    }
    last = ("written", "out")
    modules |= {name: site.tap for name, site in sites(network).items() if site.last in last}
    captured, logits = watch(network, given, modules, grad=True)
    values = {name: each[0] for name, each in captured.items()}
    with gradients(True):
        total = log_likelihood(logits, given.wanted).sum()
        slopes = torch.autograd.grad(total, list(values.values()), materialize_grads=True)
    found = dict(zip(values, slopes, strict=True))
    return {name: value.detach() for name, value in values.items()}, found
