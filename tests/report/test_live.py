"""What the live page is answered: what the same calls of the model give, and nothing in between."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
from report_samples import SCRIPT, Made

import seq2see as s2s
from helpers import hooks_in
from seq2see.data.pairs import Pair
from seq2see.errors import ConfigError, DataError
from seq2see.look.alignment import MEASURES
from seq2see.report.changes import ROLES, as_python, places
from seq2see.report.live import LONGEST, Live, differing
from seq2see.report.packing import unpacked
from seq2see.report.pages import live as live_page
from seq2see.report.subject import Subject

CROSS, ENCODER, DECODER = "decoder.1.cross", "encoder.0.self", "decoder.0.self"
ZERO = {"at": CROSS, "head": 0, "to": "zero"}
EDITS: dict[str, list[dict[str, Any]]] = {
    "zero": [ZERO],
    "both heads": [ZERO, {**ZERO, "head": 1}],
    "mean": [{"at": ENCODER, "head": 1, "to": "mean"}],
    "role": [{"at": DECODER, "head": 0, "to": "previous"}],
    "three kinds": [
        ZERO,
        {**ZERO, "head": 1, "to": "mean"},
        {"at": ENCODER, "head": 0, "to": "uniform"},
    ],
}


@pytest.fixture(scope="module")
def live(transformer: Made) -> Live:
    return Live(transformer.subject)


def by_hand(subject: Subject, edits: list[dict[str, Any]]) -> list[Any]:
    """The same edits as people write them, with the roles as functions of their own."""
    functions = {
        "previous": lambda q, k: k.pos == q.pos - 1,
        "uniform": lambda q, k: torch.ones_like(q.pos * k.pos),
    }
    made: list[Any] = []
    for one in edits:
        at, head, to = one["at"], one["head"], one["to"]
        if to in functions:
            made.append(s2s.replace(at, head, pattern=functions[to]))
        else:
            data = subject.averaged if to == "mean" else None
            made.append(s2s.ablate(at, [head], to, data))
    return made


def test_without_edits_it_is_what_the_model_writes(live: Live) -> None:
    model = live.subject.model
    answer = live.answer({"source": "abc"})
    [found] = model.search(["abc"])[0][:1]
    told = answer["trained"]
    assert (told["text"], tuple(told["pieces"])) == (found.text, found.tokens)
    assert told["scores"]["trained"] == pytest.approx(found.token_scores, abs=1e-4)
    assert told["scores"]["edited"] is None
    assert told["finished"] == found.finished
    assert not any(told["differs"])
    assert answer["edited"] is None
    assert answer["unseen"] == 0
    assert answer["source"] == found.source_tokens


@pytest.mark.parametrize("name", EDITS)
def test_with_edits_it_is_what_the_edited_model_writes(live: Live, name: str) -> None:
    model, edits = live.subject.model, EDITS[name]
    answer = live.answer({"source": "abc", "edits": edits})
    trained, edited = answer["trained"], answer["edited"]
    plain = model.search(["abc"])[0][0]
    with model.edit(*by_hand(live.subject, edits)):
        found = model.search(["abc"])[0][0]
        again = model.score([Pair("abc", plain.text)])[0]
    assert (edited["text"], tuple(edited["pieces"])) == (found.text, found.tokens)
    assert edited["scores"]["edited"] == pytest.approx(found.token_scores, abs=1e-4)
    assert trained["text"] == plain.text
    # The unedited output under both networks; it ends, so that its text can be scored anew.
    assert trained["finished"]
    assert trained["scores"]["trained"] == pytest.approx(plain.token_scores, abs=1e-4)
    assert trained["scores"]["edited"] == pytest.approx(again.token_scores, abs=1e-4)
    assert trained["scores"]["edited"] != pytest.approx(plain.token_scores, abs=1e-4)
    assert hooks_in(live.subject.network) == []


def test_an_output_that_changes_is_marked_and_the_edit_is_gone_after_it(live: Live) -> None:
    asked = {"source": "abc", "edits": EDITS["both heads"]}
    before, between, after = live.answer({"source": "abc"}), live.answer(asked), Live(live.subject)
    assert between["trained"]["text"] != between["edited"]["text"]
    assert any(between["edited"]["differs"]) or any(between["trained"]["differs"])
    assert after.answer({"source": "abc"}) == before


@pytest.mark.parametrize(
    ("one", "other", "marks"),
    [
        ("abc", "abc", ("...", "...")),
        ("abc", "axc", (".x.", ".x.")),
        ("abc", "abbc", ("...", ".x..")),
        ("abc", "c", ("xx.", ".")),
        ("", "ab", ("", "xx")),
    ],
)
def test_pieces_that_differ_are_those_of_the_fewest_edits(one, other, marks) -> None:
    found = differing(list(one), list(other))
    assert tuple("".join(".x"[mark] for mark in side) for side in found) in (
        marks,
        (marks[0], "..x."),  # of two equal pieces, either is the one too many
    )


def test_the_map_is_the_pattern_along_the_output(live: Live) -> None:
    seen = live.subject.model.trace(Pair("abc", ""))
    first = live.answer({"source": "abc"})["trained"]["map"]
    expected = seen["decoder.0.cross.pattern"][0]  # the last but one, as `align` takes
    assert unpacked(first["values"]) == pytest.approx(expected.mean(0).numpy(), abs=1 / 500)
    assert (first["rows"], first["columns"]) == (seen.target[0], seen.source[0])
    one = live.answer({"source": "abc", "at": DECODER, "head": 1})["trained"]["map"]
    expected = seen[f"{DECODER}.pattern"][0, 1]
    assert unpacked(one["values"]) == pytest.approx(expected.numpy(), abs=1 / 500)
    assert (one["rows"], one["columns"]) == (seen.read[0], seen.read[0])


def test_the_map_shows_the_pattern_that_was_put_in(live: Live) -> None:
    edits = [{"at": ENCODER, "head": 1, "to": "uniform"}]
    answer = live.answer({"source": "abc", "edits": edits, "at": ENCODER, "head": 1})
    even = pytest.approx(np.full((4, 4), 0.25), abs=0.01)
    assert unpacked(answer["edited"]["map"]["values"]) == even
    assert unpacked(answer["trained"]["map"]["values"]) != even


@pytest.mark.parametrize("by", MEASURES[1:])
@pytest.mark.parametrize("kind", ["transformer", "bilstm", "gru"])
def test_the_other_measures_are_those_of_align(kind, by, request) -> None:
    made = request.getfixturevalue(kind)
    subject = made if isinstance(made, Subject) else made.subject
    if kind == "gru" and by == "norm":
        with pytest.raises(ConfigError, match="no attention"):
            Live(subject).answer({"source": "ab", "by": by})
        return
    found = Live(subject).answer({"source": "ab", "by": by})["trained"]["map"]
    [expected] = subject.model.align(Pair("ab", ""), by=by)
    assert (found["rows"], found["columns"]) == (expected.target, expected.source)
    shares = expected.matrix.clamp(min=0)
    shares = shares / shares.sum(1, keepdim=True).clamp(min=1e-12)
    assert unpacked(found["values"]) == pytest.approx(shares.numpy(), abs=1 / 500)


def test_norm_is_of_the_layer_that_is_asked_for(live: Live) -> None:
    asked = {"source": "abc", "by": "norm"}
    one, other = (
        live.answer({**asked, "at": f"decoder.{layer}.cross"})["trained"]["map"]["values"]
        for layer in (0, 1)
    )
    assert live.answer(asked)["trained"]["map"]["values"] == one != other
    [expected] = live.subject.model.align(Pair("abc", ""), by="norm", layer=1)
    shares = expected.matrix / expected.matrix.sum(1, keepdim=True)
    assert unpacked(other) == pytest.approx(shares.numpy(), abs=1 / 500)


def test_the_python_that_is_shown_writes_the_same(live: Live) -> None:
    edits = EDITS["three kinds"]
    answer = live.answer({"source": "abc", "edits": edits})
    model, pairs = live.subject.model, live.subject.averaged
    code = answer["python"].replace("    model.translate", "    found = model.translate")
    names: dict[str, Any] = {"model": model, "pairs": pairs}
    exec(compile(code, "page", "exec"), names)
    assert names["found"] == [answer["edited"]["text"]]


def test_the_python_of_a_source_with_features_names_them(gru: Subject) -> None:
    names: dict[str, Any] = {"model": gru.model}
    code = as_python([], "it's", ("UP",))
    exec(compile(code.replace("model.tr", "found = model.tr"), "page", "exec"), names)
    assert names["found"] == gru.model.translate([Pair("it's", "", ("UP",))])


def test_features_are_read_as_in_a_file(gru: Subject) -> None:
    answer = Live(gru).answer({"source": "ab", "features": "LOW; X"})
    assert answer["source"][:2] == ("[LOW]", "[X]")
    pair = Pair("ab", "", ("LOW", "X"))
    assert answer["trained"]["text"] == gru.model.translate([pair])[0]
    assert Live(gru).answer({"source": "ab", "features": "NEW"})["unseen"] == 1


def test_pieces_never_seen_are_counted(live: Live) -> None:
    assert live.answer({"source": "a\u2603\u2604"})["unseen"] == 2


def test_markup_comes_back_as_it_was(live: Live) -> None:
    assert "".join(live.answer({"source": SCRIPT})["source"][:-1]).replace("▁", " ") == SCRIPT


# What a network can be changed in.


def test_every_head_is_offered_with_what_it_can_be_changed_to(transformer: Made) -> None:
    known = places(transformer.subject.network)
    assert list(known) == [
        "encoder.0.self", "decoder.0.self", "decoder.0.cross", "decoder.1.self", "decoder.1.cross",
    ]  # fmt: skip
    assert {place.heads for place in known.values()} == {2}
    assert known[ENCODER].ways == ("zero", "mean", *ROLES["encoder"])
    assert "next" not in known[DECODER].ways
    assert places(transformer.subject.network, means=False)[CROSS].ways[:2] == ("zero", "uniform")


@pytest.mark.parametrize("kind", ["transformer", "bilstm"])
def test_every_way_that_is_offered_can_be_gone(kind: str, request) -> None:
    live = Live(request.getfixturevalue(kind).subject)
    for at, place in live.changer.places.items():
        for to in place.ways:
            edits = [{"at": at, "head": head, "to": to} for head in range(place.heads)]
            answer = live.answer({"source": "abc", "edits": edits})
            assert answer["edited"]["scores"]["edited"]


def test_a_recurrent_network_has_no_heads_and_says_so(bilstm: Made, gru: Subject) -> None:
    known = places(bilstm.subject.network)
    assert {at: place.heads for at, place in known.items()} == {"decoder.cross": 1}
    page = live_page.page(bilstm.subject)
    assert "has no heads to edit; its attention over the source can be" in page.answer
    assert places(gru.network) == {}
    page = live_page.page(gru)
    assert "has no heads to edit, and this one has no attention either" in page.answer
    assert page.figures[0].drawing.data["measures"] == ["gradient", "erasure"]
    answer = Live(gru).answer({"source": "ab", "features": "UP"})
    assert answer["trained"]["map"]["columns"] == ("a", "b")
    with pytest.raises(ConfigError, match="has no heads to edit"):
        Live(gru).answer({"source": "ab", "edits": [ZERO]})


def test_the_features_of_each_pair_stand_beside_it(gru: Subject) -> None:
    data = live_page.page(gru).figures[0].drawing.data
    assert data["featured"]
    pairs = [gru.asked.sources[i] for i in gru.numbers]
    assert data["features"] == [";".join(pair.features) for pair in pairs]
    assert set(data["features"]) <= {"UP", "LOW;X"}


# What is refused.


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ([], "a table"),
        (None, "a table"),
        ({}, r"request\.source"),
        ({"source": 3}, r"request\.source"),
        ({"source": "a", "sourc": "b"}, "Did you mean source"),
        ({"source": " "}, "no text"),
        ({"source": ""}, "no text"),
        ({"source": "a" * LONGEST}, f"{LONGEST + 1} pieces; expected at most {LONGEST}"),
        ({"source": "\ud800"}, "source"),
        ({"source": "a", "features": ["x"]}, r"request\.features"),
        ({"source": "a", "by": "weights"}, "Did you mean weight"),
        ({"source": "a", "at": "decoder.1.cros"}, r"Did you mean decoder\.1\.cross"),
        ({"source": "a", "head": 2}, "found head 2"),
        ({"source": "a", "head": -1}, "found head -1"),
        ({"source": "a", "by": "erasure", "head": 0}, "Leave at and head out"),
        ({"source": "a", "by": "erasure", "at": CROSS}, "Leave at and head out"),
        ({"source": "a", "by": "norm", "at": ENCODER}, "Leave at and head out"),
        ({"source": "a", "by": "norm", "at": "decoder.7.cross"}, "no attention of that name"),
        ({"source": "a", "edits": {}}, "a list of tables"),
        ({"source": "a", "edits": [3]}, r"request\.edits\[0\]"),
        ({"source": "a", "edits": [{"at": CROSS, "head": 0}]}, r"request\.edits\[0\]\.to"),
        ({"source": "a", "edits": [{**ZERO, "at": "decoder.1"}]}, "Did you mean decoder"),
        ({"source": "a", "edits": [{**ZERO, "head": 2}]}, "heads from 0 to 1"),
        ({"source": "a", "edits": [{**ZERO, "head": -1}]}, "heads from 0 to 1"),
        ({"source": "a", "edits": [{**ZERO, "to": "zeros"}]}, "Did you mean zero"),
        ({"source": "a", "edits": [{**ZERO, "to": "window(2)"}]}, r"edits\[0\]\.to"),
        ({"source": "a", "edits": [{**ZERO, "at": DECODER, "to": "next"}]}, r"edits\[0\]\.to"),
        ({"source": "a", "edits": [ZERO, {**ZERO, "to": "mean"}]}, "changed twice"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_is_refused(live: Live, request_, message) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        live.answer(request_)
    assert hooks_in(live.subject.network) == []


# Two at once.


def test_questions_at_the_same_time_do_not_disturb_each_other(transformer: Made) -> None:
    asked = [{"source": "abc", "edits": each} for each in ([], *EDITS.values())]
    alone = [Live(transformer.subject).answer(one) for one in asked]
    live, found = Live(transformer.subject), {}
    meeting = threading.Barrier(len(asked))

    def work(number: int) -> None:
        meeting.wait(timeout=60)
        found[number] = [live.answer(asked[number]) for _ in range(3)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, expected in enumerate(alone):
        assert found[number] == [expected] * 3


def test_after_its_end_nothing_is_computed_any_more(transformer: Made) -> None:
    live = Live(transformer.subject)
    assert live.close()
    assert not live.close(seconds=0.0)
    thread = threading.Thread(target=live.answer, args=({"source": "a"},), daemon=True)
    thread.start()
    thread.join(timeout=0.5)
    assert thread.is_alive()
    live._one.release()
    thread.join(timeout=60)
    assert not thread.is_alive()


def test_a_mean_is_of_the_network_as_it_was_trained(transformer: Made) -> None:
    """Whatever was edited when it was first asked for."""
    mean = {"at": ENCODER, "head": 1, "to": "mean"}
    first, second = Live(transformer.subject), Live(transformer.subject)
    first.answer({"source": "ab", "edits": [ZERO, mean]})
    asked = {"source": "ab", "edits": [mean]}
    assert first.answer(asked) == second.answer(asked)
