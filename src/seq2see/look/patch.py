"""Putting single values of one run into another, to see which of them carry the difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seq2see.config import nearest
from seq2see.data.rows import Pair
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError, DataError
from seq2see.look.capture import capture
from seq2see.look.forced import Forced, force
from seq2see.look.names import Site, matching, only
from seq2see.look.trace import log_likelihood
from seq2see.nn.hooks import After, Hooks, hooked
from seq2see.nn.network import Network
from seq2see.nn.settings import RecurrentSettings

Metric = Callable[[Float[Tensor, "target vocabulary"], Int[Tensor, " target"]], float]
"""Judges a run by its logits and the ids of the clean pair's target."""

METRICS = ("likelihood", "logit_difference")

Text = str | Pair

SAME = 1e-6
"""Two runs whose metrics differ by less, relatively, leave nothing to restore."""


@dataclass(frozen=True)
class Restored:
    """What one value of the clean run did for the corrupted run.

    Args:
        name: of the value.
        head: the head that was patched; None where the whole value was.
        value: the metric of the corrupted run with that value patched.
        restored: the share of the difference: 0 as corrupted, 1 as clean. It may lie outside.
    """

    name: str
    head: int | None
    value: float
    restored: float


@dataclass(frozen=True)
class Patching:
    """What every patched value restored.

    Args:
        clean: the metric of the clean run.
        corrupt: the metric of the corrupted run.
        rows: one a value, or a head of it, in the network's order.
    """

    clean: float
    corrupt: float
    rows: tuple[Restored, ...]

    def __getitem__(self, key: str | tuple[str, int]) -> float:
        """Returns the share restored by a name, or by a name and a head.

        Raises:
            ConfigError: nothing of that name was patched, or not that head alone.
        """
        name, head = (key, None) if isinstance(key, str) else key
        known = {(row.name, row.head): row.restored for row in self.rows}
        if (name, head) not in known:
            names = {row.name for row in self.rows}
            mend = "Name one head of it, from 0, as [name, 0]" if head is None else ""
            mend = mend if name in names else nearest(name, names)
            raise ConfigError("not patched", where=f"{name}, head {head}", mend=mend)
        return known[name, head]

    def __str__(self) -> str:
        names = [row.name + ("" if row.head is None else f" {row.head}") for row in self.rows]
        width = max(map(len, names))
        each = zip(names, self.rows, strict=True)
        lines = [f"{name:<{width}}  {row.value:>10.4f}  {row.restored:>8.3f}" for name, row in each]
        return "\n".join([f"{'value':<{width}}  {'metric':>10}  {'restored':>8}", *lines])


def patch(
    translator: Translator,
    clean: Text,
    corrupt: Text,
    at: str | None = None,
    metric: str | Metric = "likelihood",
    *,
    heads: bool = False,
) -> Patching:
    r"""Puts values of a clean run, one at a time, into a corrupted run, and measures each effect.

    Both runs are forced along the clean pair's target. A value's effect is

    $$(m_{\mathrm{patched}} - m_{\mathrm{corrupt}}) / (m_{\mathrm{clean}} - m_{\mathrm{corrupt}})$$

    with the metric m:

    - `likelihood`: the log-probability of the clean target, in nats.
    - `logit_difference`: at the first token in which the clean and the corrupt target differ, the
      logit of the clean one less that of the corrupt one.

    Results can turn with the metric and with the corruption, so look at two of each. Source: Vig et
    al. 2020; Meng et al. 2022, section 2; logit difference and the caution: Zhang and Nanda 2024.

    Args:
        translator: the model; its options decide how it searches where no target is given.
        clean: a source whose output is right, or a pair with its target.
        corrupt: the same with something exchanged; as many source tokens.
        at: the values to be patched: a tap's name, in which `*` stands for any text; None takes
            what each layer of the encoder hands on.
        metric: how a run is judged; a function of logits `[target, vocabulary]` and of the clean
            target's ids.
        heads: whether values kept by head are patched head by head.

    Raises:
        ConfigError: no value has such a name, the metric is unknown, or the model is an ensemble.
        DataError: the sources differ in length, or nothing differs that could be restored.
    """
    network = only(translator.network)
    chosen = matching(network, _handed_on(network) if at is None else at)
    # Likelihood asks nothing of the corrupt target, so that none has to be searched for.
    targets = None if metric == "logit_difference" else [""]
    forced = force(translator, [clean]), force(translator, [corrupt], targets)
    _check_lengths(*forced)
    judge = metric if callable(metric) else _metric(metric, *forced)
    right, wrong = (_along(forced[0], each).together(network) for each in forced)

    def judged(logits: Tensor) -> float:
        return float(judge(logits[0], right.wanted[0]))

    captured, logits = capture(network, right, chosen)
    best, worst = judged(logits), judged(capture(network, wrong, [])[1])
    _check_difference(best, worst)
    rows = []
    for site, head in _parts(chosen, heads):
        place = None if head is None else site.numbers.index(head)
        with hooked(Hooks(after=((site.tap, _putting(captured[site.name], place)),))):
            value = judged(capture(network, wrong, [])[1])
        rows.append(Restored(site.name, head, value, (value - worst) / (best - worst)))
    return Patching(best, worst, tuple(rows))


def _handed_on(network: Network) -> str:
    """Names what each layer of the encoder hands on."""
    recurrent = isinstance(network.settings, RecurrentSettings)
    return "encoder.*.states" if recurrent else "encoder.*.out"


def _parts(chosen: Sequence[Site], heads: bool) -> Iterator[tuple[Site, int | None]]:
    for site in chosen:
        by_head = heads and "head" in site.axes
        yield from ((site, head) for head in (site.numbers if by_head else (None,)))


def _putting(values: Sequence[Tensor], head: int | None) -> After:
    following = iter(values)  # one, or one a step of a recurrence

    def put(value: Tensor) -> Tensor:
        new = next(following)
        if head is None:
            return new
        chosen = torch.zeros(value.shape[1], dtype=torch.bool, device=value.device)
        chosen[head] = True
        return torch.where(chosen[:, None, None], new, value)

    return put


def _along(target: Forced, source: Forced) -> Forced:
    """Joins the source of one to the target of the other."""
    return Forced(source.sources, target.targets, source.unknowns, source.tokenizers)


def _metric(name: str, clean: Forced, corrupt: Forced) -> Metric:
    if name == "likelihood":
        return lambda logits, wanted: log_likelihood(logits[None], wanted[None]).item()
    if name != "logit_difference":
        mend = nearest(name, METRICS)
        raise ConfigError("unknown metric", where=name, mend=mend)
    pairs = enumerate(zip(clean.targets[0], corrupt.targets[0], strict=False))
    for place, (right, wrong) in pairs:
        if right != wrong:
            return lambda logits, _: (logits[place, right] - logits[place, wrong]).item()
    raise DataError(
        "the clean and the corrupt target do not differ",
        where="logit_difference",
        mend="Give pairs with different targets, or take metric='likelihood'",
    )


def _check_lengths(clean: Forced, corrupt: Forced) -> None:
    [right], [wrong] = clean.source_tokens, corrupt.source_tokens
    if len(right) != len(wrong):
        raise DataError(
            f"sources of {len(right)} and {len(wrong)} tokens ({' '.join(right)} and"
            f" {' '.join(wrong)})",
            expected="as many tokens in both, since values are exchanged position by position",
            where="patch",
            mend="Corrupt the source by exchanging tokens, not by adding or leaving out any",
        )


def _check_difference(clean: float, corrupt: float) -> None:
    if not abs(clean - corrupt) > SAME * max(1.0, abs(clean), abs(corrupt)):
        raise DataError(
            f"both runs have the metric {clean:.6g}, so there is nothing to restore",
            where="patch",
            mend="Corrupt a token that matters, or take another metric",
        )
