"""What is measured of every head while a model is forced along a data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seq2see.data.tokenizers import START
from seq2see.decode.score import Given, side_by_side
from seq2see.decode.translate import Translator
from seq2see.look.capture import Captured, capture, gradients, whole
from seq2see.look.forced import Forced
from seq2see.look.jobs import Job, jobs
from seq2see.look.means import Means
from seq2see.look.names import find_attention, only, sites
from seq2see.look.scene import Scene, scene
from seq2see.look.trace import log_likelihood
from seq2see.look.written import written_norms
from seq2see.nn.attention import MultiHeadAttention
from seq2see.nn.network import Network

Values = dict[str, Tensor]
"""What passed in one batch, by tap name."""

IMPORTANCE, ENTROPY, RELATIVE, CONFIDENCE = "importance", "entropy", "relative", "confidence"


def measure(
    translator: Translator, forced: Forced, ats: Sequence[str], reach: int
) -> dict[str, Means]:
    """Measures the heads of some attentions, each by itself, over all real queries.

    By name: `importance`, `entropy`, `relative`, `confidence`; `JOB match`, `JOB even`, `JOB
    weighted` of each job; `offset N` and `weighted offset N` from -reach to reach.

    Args:
        translator: the model.
        forced: the data.
        ats: names of attentions.
        reach: how many positions away the mean weight is kept by offset.
    """
    network = only(translator.network)
    known = {at: jobs(at, _counts(at, forced, network), joint=_joint(forced)) for at in ats}
    found = {at: Means() for at in ats}
    contexts = [f"{at}.context" for at in ats]
    others = [*(f"{at}.pattern" for at in ats), *{_values(network, at) for at in ats}]
    for given, captured, grads in _passes(translator, forced, contexts, others):
        for at in ats:
            means, now, pattern = found[at], scene(at, given), captured[f"{at}.pattern"]
            values = captured[_values(network, at)]
            norms = written_norms(find_attention(network, at)[1], values)
            _add_importance(means, now, captured[f"{at}.context"], grads[f"{at}.context"])
            _add_pattern(means, now, pattern)
            _add_jobs(means, now, known[at], (pattern, norms))
            _add_offsets(means, now, (pattern, norms), reach)
    return found


def importances(
    translator: Translator, forced: Forced, ats: Sequence[str]
) -> dict[str, Float[Tensor, " head"]]:
    r"""Measures how much the loss depends on what each head reads.

    $$I_h = \frac{1}{N} \sum_t | c_{ht}^\top \, \partial L / \partial c_{ht} |$$

    with c the context at query t, N the number of queries, and L the negative log-likelihood of
    the targets, in nats. Source: Michel et al. 2019, section 4.1, eq. 2.

    Args:
        translator: the model.
        forced: the data.
        ats: names of attentions.
    """
    found = {at: Means() for at in ats}
    contexts = [f"{at}.context" for at in ats]
    for given, captured, grads in _passes(translator, forced, contexts, ()):
        for at, name in zip(ats, contexts, strict=True):
            _add_importance(found[at], scene(at, given), captured[name], grads[name])
    return {at: one.sums[IMPORTANCE] / one.counts[IMPORTANCE] for at, one in found.items()}


def _passes(
    translator: Translator, forced: Forced, contexts: Sequence[str], others: Iterable[str]
) -> Iterator[tuple[Given, Values, Values]]:
    """Yields each batch with what passed, and the gradients of the loss by the contexts."""
    network = only(translator.network)
    known = sites(network)
    wanted = [known[name] for name in (*contexts, *others)]
    budget = translator.options.batch_tokens
    for given in side_by_side(network, forced.sources, forced.targets, budget):
        captured, logits = capture(network, given, wanted, grad=True)
        grads = _gradients(captured, contexts, logits, given.wanted)
        yield given, {n: whole(known[n], values).detach() for n, values in captured.items()}, grads


def _gradients(
    captured: Captured, contexts: Sequence[str], logits: Tensor, wanted: Tensor
) -> Values:
    with gradients(True):
        loss = -log_likelihood(logits, wanted).sum()
        by = [captured[name][0] for name in contexts]
        found = torch.autograd.grad(loss, by, materialize_grads=True)
    return dict(zip(contexts, found, strict=True))


def _values(network: Network, at: str) -> str:
    """Names the tap that the values of an attention pass."""
    _, layer = find_attention(network, at)
    return f"{at}.v" if isinstance(layer, MultiHeadAttention) else "encoder.out"


def _add_importance(means: Means, now: Scene, context: Tensor, grad: Tensor) -> None:
    each = (context * grad).sum(-1).abs()
    means.add(IMPORTANCE, each if each.ndim == 3 else each[:, None], now.asking)


def _counts(at: str, forced: Forced, network: Network) -> Int[Tensor, " token"]:
    """Counts the tokens that stand among an attention's keys."""
    of_source = at.startswith("encoder") or at.endswith(".cross")
    rows = forced.sources if of_source else [[START, *row[:-1]] for row in forced.targets]
    size = network.sizes.source if of_source else network.sizes.target
    device = next(network.parameters()).device
    ids = torch.tensor([i for row in rows for i in row], device=device)
    return torch.bincount(ids, minlength=size)


def _joint(forced: Forced) -> bool:
    both = forced.tokenizers
    return both.source is both.target or both.source.to_json() == both.target.to_json()


def _add_pattern(means: Means, now: Scene, pattern: Float[Tensor, "row head query key"]) -> None:
    entropy = torch.special.entr(pattern).sum(-1)
    means.add(ENTROPY, entropy, now.asking)
    count = now.allowed.sum(-1)
    most = count.clamp(min=2).log()[:, None]
    means.add(RELATIVE, entropy / most, now.asking & (count > 1))
    means.add(CONFIDENCE, pattern.masked_fill(now.ends, 0.0).amax(-1), now.asking)


def _add_jobs(means: Means, now: Scene, found: Sequence[Job], looks: tuple[Tensor, Tensor]) -> None:
    pattern, weighted = looks[0], _weighted(*looks)
    for job in found:
        places = job.places(now.q, now.k, now.allowed)
        told = now.asking & (places.sum(-1) > 0)
        for name, look in (("match", pattern), ("even", now.even), ("weighted", weighted)):
            means.add(f"{job.name} {name}", _match(look, places.to(look), job.spread), told)


def _match(
    look: Float[Tensor, "row head query key"],
    places: Float[Tensor, "row query key"],
    spread: bool,
) -> Float[Tensor, "row head query"]:
    if spread:
        return 1 - 0.5 * (look - places[:, None]).abs().sum(-1)
    return (look * places[:, None]).sum(-1)


def _weighted(
    pattern: Float[Tensor, "row head query key"], norms: Float[Tensor, "row head key"]
) -> Float[Tensor, "row head query key"]:
    """Weights a map by the norm of what each key makes the head write; rows sum to 1 again."""
    weighted = pattern * norms[:, :, None]
    total = weighted.sum(-1, keepdim=True)
    return weighted / total.where(total > 0, 1.0)


def _add_offsets(means: Means, now: Scene, looks: tuple[Tensor, Tensor], reach: int) -> None:
    steps = now.k.pos - now.q.pos  # 1 query key
    maps = {"offset": looks[0], "weighted offset": _weighted(*looks)}
    for offset in range(-reach, reach + 1):
        there = now.allowed & (steps == offset)
        for name, look in maps.items():
            means.add(f"{name} {offset}", (look * there[:, None]).sum(-1), there.any(-1))
