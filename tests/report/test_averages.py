"""Mean patterns of heads whose patterns are forced, so that the mean is known."""

from __future__ import annotations

import pytest
import torch

from seq2see.look.replace import replace
from seq2see.report.averages import averages


def test_a_head_that_looks_at_the_first_key(transformer) -> None:
    subject = transformer.subject
    first = torch.zeros(64, 64)
    first[:, 0] = 1.0
    with subject.model.edit(replace("decoder.1.cross", head=1, pattern=first)):
        found = averages(subject, bins=1), averages(subject, bins=4)
    one, four = (each["decoder.1.cross"] for each in found)
    assert float(one.largest[1]) == pytest.approx(1.0)
    assert one.maps[:, 0, 0].tolist() == pytest.approx([1.0] * len(one.maps))
    # Every text is longer than one token, so that the first key lies in the first half.
    assert float(four.maps[1, :, :2].sum(-1).min()) == pytest.approx(1.0, abs=1e-5)


def test_a_head_that_looks_everywhere(transformer) -> None:
    subject = transformer.subject
    even = torch.ones(64, 64)
    with subject.model.edit(replace("encoder.0.self", pattern=even)):
        found = averages(subject, bins=4)["encoder.0.self"]
    assert found.maps.flatten().tolist() == pytest.approx([0.25] * found.maps.numel(), abs=1e-5)
    assert found.largest.tolist() == pytest.approx([found.even] * 2, abs=1e-6)


def test_a_text_counts_by_its_queries(transformer) -> None:
    """The largest weight is a mean over all queries of all pairs: held against a plain loop."""
    subject = transformer.subject
    largest = averages(subject)["decoder.0.self"].largest
    each = []
    for pair in subject.averaged:
        seen = subject.model.trace(pair, pair.target)["decoder.0.self.pattern"][0]
        each += seen.amax(-1).T.tolist()
    assert largest.tolist() == pytest.approx(torch.tensor(each).mean(0).tolist(), abs=1e-5)


def test_a_network_without_attention_has_none(bilstm) -> None:
    assert list(averages(bilstm.subject)) == ["decoder.cross"]
