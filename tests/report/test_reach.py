"""Accuracy of target tokens by how far off their source stands, with patterns that are forced."""

from __future__ import annotations

import pytest
import torch

from seq2see.data.pairs import Pair
from seq2see.look.forced import force
from seq2see.look.replace import replace
from seq2see.report.pages import distance
from seq2see.report.reach import diagonal, nearest, reach

FIRST, SECOND = Pair("abc", "ab"), Pair("abcd", "dcba")


def looking_at(columns: list[int]) -> torch.Tensor:
    """A pattern whose row i looks at column i alone."""
    pattern = torch.zeros(64, 64)
    pattern[range(len(columns)), columns] = 1.0
    return pattern


def test_the_distance_is_counted_from_the_diagonal(transformer) -> None:
    """Of T = 2 pieces from S = 3 the diagonal places are 0.25 and 1.75; of 4 from 4, 0 to 3."""
    assert [diagonal(i, 3, 2) for i in range(2)] == [0.25, 1.75]
    subject = transformer.subject
    mirrored = looking_at([3, 2, 1, 0])
    # The decoder has two layers, and `align` takes the last but one.
    with subject.model.edit(replace("decoder.0.cross", pattern=mirrored)):
        found = reach(subject.translator, [SECOND])
    assert found.aligned and found.distance.tolist() == [3, 1, 1, 3]
    with subject.model.edit(replace("decoder.0.cross", pattern=looking_at([2, 0]))):
        found = reach(subject.translator, [FIRST])
    assert found.distance.tolist() == [2, 2]  # 1.75 rounded, both times


def test_right_is_what_the_network_finds_most_probable(transformer) -> None:
    subject = transformer.subject
    found = reach(subject.translator, subject.averaged)
    expected, pairs = [], []
    for number, pair in enumerate(subject.averaged):
        [logits] = subject.model.trace(pair, pair.target)["prediction"]
        [wanted] = force(subject.translator, [pair]).targets
        right = [int(row.argmax()) == i for row, i in zip(logits, wanted, strict=True)][:-1]
        expected += right
        pairs += [number] * len(right)
    assert found.right.tolist() == expected and found.pair.tolist() == pairs


def test_without_attention_it_is_counted_from_the_source_s_end(gru) -> None:
    """Features and end marks are no part of the text."""
    plain = [Pair("abcd", "ABCD", ("UP",)), Pair("abcd", "ab", ("LOW", "X"))]
    found = reach(gru.translator, plain)
    assert not found.aligned
    # Of 2 pieces from 4 the places are 0.5 and 2.5, which round to 1 and 3.
    assert found.distance.tolist() == [3, 2, 1, 0, 2, 0]
    assert [nearest(place) for place in (0.5, 2.5, -0.5, 0.49)] == [1, 3, 0, 0]


def test_groups_hold_every_token_once_with_its_share(transformer) -> None:
    found = reach(transformer.subject.translator, transformer.subject.averaged)
    groups = found.groups
    assert sum(group.tokens for group in groups) == len(found.distance)
    for group in groups:
        inside = (group.low <= found.distance) & (found.distance <= group.high)
        assert group.tokens == inside.sum() >= min(20, len(found.distance))
        assert group.accuracy == pytest.approx(found.right[inside].mean())
        assert group.interval[0] <= group.accuracy <= group.interval[1]


@pytest.mark.parametrize("kind", ["transformer", "bilstm", "gru"])
def test_the_page_shows_the_shares(kind, request) -> None:
    made = request.getfixturevalue(kind)
    subject = getattr(made, "subject", made)
    made_page = distance.page(subject)
    groups = reach(subject.translator, subject.whole).groups
    tables = {figure.name: figure.table for figure in made_page.figures}
    assert len(groups) >= 2
    rows = tables["reaches"].rows
    assert [row[:2] for row in rows] == [(g.name, str(g.tokens)) for g in groups]
    caption = next(f.caption for f in made_page.figures if f.name == "reaches")
    assert ("Nothing looks at the source" in caption) == (kind == "gru")
    assert f"{100 * groups[-1].accuracy:.0f} % of those from {groups[-1].name}" in made_page.answer
