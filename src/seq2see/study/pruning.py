"""What is left of a model whose heads go, in several orders, with and without training after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from seq2see.api.cell import trained
from seq2see.api.model import Model
from seq2see.look.prune import ORDERS
from seq2see.look.removal import attentions
from seq2see.study.measures import EXACT, exact_match
from seq2see.study.plan import Measure
from seq2see.study.readings import Reading
from seq2see.study.trial import Subject

TUNED, TUNED_RANDOM, SCRATCH = "fine-tuned", "random, fine-tuned", "from nothing"


def pruning(kept: Sequence[float], tuned: Sequence[float], steps: int) -> Measure:
    """Makes a measure of right outputs by how many heads are left.

    Heads are judged by the held-out pairs, and outputs by the test pairs, so that no order is
    flattered. The series are the orders of `Model.prune`; what is fine-tuned lost its heads by
    `gradient`, or at random as the control; the first one's twin of the same heads begins from
    nothing and is trained as long as the whole model and the fine-tuning together.

    Args:
        kept: shares of the heads that are left.
        tuned: those of them at which models are trained on.
        steps: updates of that.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        model = subject.model
        total = sum(attentions(model.network).values())
        data = model.read(model.recipe.data.dev)
        for by in ORDERS:
            for share in kept:
                keep = round(share * total)
                small = model.prune(keep, by, data, seed=subject.seed)
                yield _right(subject, small, keep, by)
        for share in tuned:
            keep = round(share * total)
            small = model.prune(keep, "gradient", data)
            on = _trained_on(subject, small, f"{keep}", steps)
            yield _right(subject, on, keep, TUNED)
            chance = model.prune(keep, "random", data, seed=subject.seed)
            on = _trained_on(subject, chance, f"{keep}-random", steps)
            yield _right(subject, on, keep, TUNED_RANDOM)
            # What was done, not what was asked for: minutes or patience may have ended it.
            done = int(model.scores["training"]["steps"])
            anew = _trained_anew(subject, small, keep, done + steps)
            yield _right(subject, anew, keep, SCRATCH)

    return measure


def _right(subject: Subject, model: Model, keep: int, series: str) -> Reading:
    [found] = exact_match(subject.of(model))
    return Reading(EXACT, found.value, at=keep, series=series)


def _trained_on(subject: Subject, small: Model, name: str, steps: int) -> Model:
    begin = subject.folder / f"pruned-{name}"
    small.save(begin)
    return _trained(subject, small, f"tuned-{name}", {"start": str(begin), "steps": steps})


def _trained_anew(subject: Subject, small: Model, keep: int, steps: int) -> Model:
    return _trained(subject, small, f"scratch-{keep}", {"start": "", "steps": steps})


def _trained(subject: Subject, small: Model, name: str, changes: dict[str, str | int]) -> Model:
    tree = small.recipe.as_tree()
    tree["train"] = {**tree["train"], "minutes": 0.0, **changes}
    device = str(next(small.network.parameters()).device)
    return trained(tree, subject.folder / name, device, lambda _: ())
