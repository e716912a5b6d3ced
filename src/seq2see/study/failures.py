"""Runs that come to nothing, and the gradients they begin with."""

from __future__ import annotations

from collections.abc import Iterator

from seq2see.api.model import Model
from seq2see.study.drawn import untrained
from seq2see.study.measures import exact_match
from seq2see.study.plan import Measure
from seq2see.study.readings import FAILED, Reading
from seq2see.study.slopes import slopes
from seq2see.study.trial import Subject

GRADIENT, RATIO = "gradient at step 0", "gradient, last over first"


def failed(least: float) -> Measure:
    """Makes a measure that is 1 for a run whose right outputs stay below `least` per cent.

    A run whose loss was no longer finite is counted by the trial itself, see `Study.may_fail`.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        [right] = exact_match(subject)
        yield Reading(FAILED, float(right.value < least))

    return measure


def first_gradients(pairs: int = 64) -> Measure:
    r"""Makes a measure of the gradients of the untrained decoder, layer by layer.

    $$\lVert \partial L / \partial W_2^{(l)} \rVert_F$$

    with $W_2^{(l)}$ the second map of layer l's feed-forward layer and L the negative
    log-likelihood of a target token, in nats. Source: Xiong et al. 2020, section 3.3.

    Args:
        pairs: test pairs that the loss is taken over.
    """

    def measure(subject: Subject) -> Iterator[Reading]:
        norms = gradients(untrained(subject.model), subject, pairs)
        for layer, norm in enumerate(norms, 1):
            yield Reading(GRADIENT, norm, at=layer)
        yield Reading(RATIO, norms[-1] / norms[0])

    return measure


def gradients(model: Model, subject: Subject, pairs: int) -> list[float]:
    """Returns the norm of each decoder layer's gradient; see `first_gradients`."""
    layers = range(model.recipe.as_tree()["model"]["decoder_layers"])
    names = [f"decoder.{layer}.feedforward.narrow.weight" for layer in layers]
    return [float(each.norm()) for each in slopes(model, subject.test[:pairs], names)]
