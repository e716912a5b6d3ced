"""What a model loses when a head is taken out, head by head."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase

from torch import Tensor

from seq2see.config import nearest
from seq2see.data.rows import Pair
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError, DataError
from seq2see.look.ablate import Ablation, ablate, reference
from seq2see.look.change import Change, Likelihoods, Task
from seq2see.look.edit import edited
from seq2see.look.forced import Forced
from seq2see.look.names import sites
from seq2see.nn.network import Network

Head = tuple[str, int]
"""An attention's name and the number of one of its heads, from 0."""


def attentions(network: Network, at: str = "*") -> dict[str, int]:
    """Finds every attention whose name matches, with the number of its heads.

    Args:
        network: whose attentions.
        at: a name in which `*` stands for any text, dots included, `?` for one character.

    Raises:
        ConfigError: no attention matches; the message gives the nearest name.
    """
    known = {
        name.rpartition(".")[0]: site.heads
        for name, site in sites(network).items()
        if site.last == "pattern"
    }
    found = {name: heads for name, heads in known.items() if fnmatchcase(name, at)}
    if not found:
        mend = nearest(at, known) if known else "This network has no attention"
        raise ConfigError("matches the name of no attention", where=at, mend=mend)
    return found


def standing(network: Network, at: str = "*") -> dict[str, int]:
    """Finds every attention that matches and has heads left, with their number.

    Raises:
        ConfigError: no attention matches, or all heads of those that do were pruned.
    """
    found = {name: heads for name, heads in attentions(network, at).items() if heads}
    if not found:
        raise ConfigError("all heads were pruned", where=at, mend="Look at an earlier model")
    return found


def removals(
    translator: Translator, pairs: Sequence[Pair], ats: dict[str, int], by: str, seed: int = 1
) -> Iterator[tuple[Head, Ablation]]:
    """Describes the ablation of each head in turn; an attention's reference values are taken once.

    Args:
        translator: the model.
        pairs: the data whose values take a head's place.
        ats: attentions and the numbers of their heads.
        by: `zero`, `mean` or `resample`; see `seq2see.look.ablate.ablate`.
        seed: of the draws.
    """
    for at, heads in ats.items():
        data: Tensor | None = None
        if by in ("mean", "resample") and heads:
            values = reference(translator, at, pairs)
            data = values.mean(0) if by == "mean" else values
        for head in range(heads):
            yield (at, head), ablate(at, [head], by, data, seed)


def likelihood_changes(
    translator: Translator, forced: Forced, each: Iterator[tuple[Head, Ablation]]
) -> dict[Head, Change]:
    """Measures by how much the log-likelihood of the targets changes with each ablation."""
    before = Likelihoods.of(translator, forced)
    return _each(translator, each, lambda: before.change(Likelihoods.of(translator, forced)))


def metric_changes(
    translator: Translator, task: Task, each: Iterator[tuple[Head, Ablation]]
) -> dict[Head, Change]:
    """Measures by how much the metric of the decoded outputs changes with each ablation."""
    before = task.answers(translator)
    return _each(translator, each, lambda: task.change(before, task.answers(translator)))


def _each(
    translator: Translator, each: Iterator[tuple[Head, Ablation]], change: Callable[[], Change]
) -> dict[Head, Change]:
    found = {}
    for head, ablation in each:
        with edited(translator, [ablation]):
            found[head] = change()
    return found


def check_targets(pairs: Sequence[Pair]) -> None:
    """Checks that every pair has a target.

    Raises:
        DataError: one has none.
    """
    for i, pair in enumerate(pairs):
        if not pair.target.strip():
            raise DataError(
                "a source without a target",
                where=f"line {pair.line or i + 1}",
                mend="Give pairs with targets, since the model is judged by them",
            )
