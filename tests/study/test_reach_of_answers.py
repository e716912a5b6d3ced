"""The gradient of an answer, by how far back a piece of the source stands."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from study_samples import PAIRS, read, subject

from helpers import recurrent_settings, transformer_settings
from seq2see.look.forced import force
from seq2see.look.names import find
from seq2see.nn.hooks import Hooks, hooked
from seq2see.study import reach
from seq2see.study.contrast import UNKNOWN, fall, over, under
from seq2see.study.readings import Outcome, Reading
from seq2see.study.results import Results


def test_an_exponential_fall_is_a_line_of_the_logarithm() -> None:
    norms = 10.0 ** (-0.25 * np.arange(9))
    counts = np.array([9, 9, 9, 9, 5, 4, 3, 2, 1])
    assert reach.Reach(norms, counts).fall == pytest.approx(2.0)
    assert reach.Reach(norms[::-1], counts).fall == pytest.approx(-2.0)
    assert reach.Reach(norms[:1], counts[:1]).fall == 0.0


@pytest.mark.parametrize("settings", [transformer_settings(), recurrent_settings("gru")])
def test_a_gradient_says_what_a_small_change_of_an_embedding_does(settings: object) -> None:
    model = subject(settings).model  # type: ignore[arg-type]
    network = model.network.double()
    given = force(model.translator(), PAIRS).together(network)
    found = reach.answer_gradients(network, given)
    way = torch.zeros_like(found)
    way[0, 1] = torch.linspace(-1, 1, way.shape[-1], dtype=way.dtype)
    tap = find(network, reach.EMBEDDED).tap

    def total(by: float) -> float:
        with torch.no_grad(), hooked(Hooks(after=((tap, lambda value: value + by * way),))):
            logits = network.logits(network(given.source, given.real, given.read))
        return float(reach.log_likelihood(logits, given.wanted).sum())

    slope = (total(1e-4) - total(-1e-4)) / 2e-4
    assert float((found * way).sum()) == pytest.approx(slope, rel=1e-4, abs=1e-9)
    assert not found[~given.real].any()


def test_distances_are_counted_from_the_end_of_each_source() -> None:
    made = subject(transformer_settings())
    found = reach.reach(made.model, PAIRS)
    longest = max(len(pair.source) for pair in PAIRS) + 1  # the end mark
    assert found.count.tolist() == [
        sum(len(pair.source) + 1 > distance for pair in PAIRS) for distance in range(longest)
    ]
    readings = read(list(reach.gradient_of_answer()(made)))
    assert readings[reach.NORM, "", 2.0] == pytest.approx(found.norm[2])
    assert readings[reach.FALL, "", None] == pytest.approx(found.fall)
    assert (reach.NORM, reach.UNTRAINED, 0.0) in readings


def test_a_curve_falls_from_its_first_third_to_its_last() -> None:
    curve = {2: 9.0, 4: 7.0, 6: 5.0, 8: 5.0, 10: 2.0, 12: 0.0}
    readings = tuple(Reading("m", value, at=at) for at, value in curve.items())
    found = fall(Results((Outcome({"a": "b"}, 1, readings, 1.0),)), "m", a="b")
    assert found == {1: 7.0}
    assert under({1: 1.0, 2: 1.0}, 5.0).low == 4.0
    assert over({}) is UNKNOWN
