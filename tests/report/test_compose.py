"""Every page asks, answers and warns, and its answer has the numbers of its tables."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import torch

from seq2see.look.alignment import MEASURES
from seq2see.report.packing import unpacked
from seq2see.report.pages import alignment
from seq2see.report.view import Page, Report, Table

DRAWS_ITS_OWN = {"grid", "beam", "head"}
"""Drawings that are tables, or have one that follows what is chosen."""


def page(report: Report, name: str) -> Page:
    return next(each for each in report.pages if each.name == name)


def rows(report: Report, name: str) -> list[dict[str, Any]]:
    """A figure's table as records."""
    [table] = [f.table for p in report.pages for f in p.figures if f.name == name]
    assert isinstance(table, Table)
    return [dict(zip(table.heads, row, strict=True)) for row in table.rows]


def test_each_architecture_has_the_pages_that_apply(transformer, bilstm) -> None:
    assert [p.name for p in transformer.report.pages] == [
        "card", "training", "length", "distance", "decoding", "alignment", "wall", "head",
        "ablation", "roles", "lens", "neurons", "stream", "positions", "errors",
    ]  # fmt: skip
    assert [p.name for p in bilstm.report.pages] == [
        "card", "training", "length", "distance", "decoding", "alignment", "wall", "gates",
        "errors",
    ]  # fmt: skip
    left_out = {one.title: one.why for one in bilstm.report.absent}
    assert "recurrent" in left_out["Head card"]
    assert "recurrence" in left_out["Positions"]


def test_every_page_asks_answers_and_warns(either) -> None:
    names = [p.name for p in either.report.pages]
    figures = [figure for p in either.report.pages for figure in p.figures]
    names += [figure.name for figure in figures]
    assert len(set(names)) == len(names)
    for each in either.report.pages:
        assert each.question.endswith("?")
        assert each.answer.endswith(".") and re.search(r"\d", each.answer)
        assert each.caution.endswith(".")
        assert each.figures


def test_every_picture_has_words_and_numbers_beside_it(either) -> None:
    for figure in (f for p in either.report.pages for f in p.figures):
        assert figure.alt.endswith(".")
        kind = getattr(figure.drawing, "kind", "")
        assert figure.table is not None or kind in DRAWS_ITS_OWN
        if figure.table is not None:
            assert {len(row) for row in figure.table.rows} <= {len(figure.table.heads)}
            assert set(figure.table.numbers) <= set(figure.table.heads)


def test_the_card_says_the_score_of_its_table(either) -> None:
    best = rows(either.report, "scores")[0]
    answer = page(either.report, "card").answer
    assert f"{best['metric']} of {best['value']} ({best['95 % interval']})" in answer
    total = sum(int(row["parameters"].replace(",", "")) for row in rows(either.report, "parts"))
    assert total == either.subject.network.parameter_count
    assert f"{total:,} parameters" in answer


def test_training_says_first_last_and_best_of_its_tables(either) -> None:
    answer = page(either.report, "training").answer
    losses, scores = rows(either.report, "loss"), rows(either.report, "validation")
    first, last = map(float, re.findall(r"from (\S+) to (\S+) nats", answer)[0])
    assert first == pytest.approx(float(losses[0]["loss"]), abs=0.0051)
    assert last == pytest.approx(float(losses[-1]["loss"]), abs=0.0051)
    [best] = [row for row in scores if row["step"] in answer.split("after step ")[1]]
    assert best["accuracy"] == max((row["accuracy"] for row in scores), key=float)


def test_length_says_the_ends_of_its_table(either) -> None:
    table, answer = rows(either.report, "lengths"), page(either.report, "length").answer
    for row in (table[0], table[-1]):
        assert row["tokens"] in answer and row["accuracy"] in answer
    assert sum(int(row["sources"]) for row in table) == len(either.subject.outputs)


def test_decoding_counts_the_pairs_of_its_table(either) -> None:
    table, answer = rows(either.report, "outputs"), page(either.report, "decoding").answer
    assert f"of the {len(table)} pairs" in answer
    subject = either.subject
    least = min(min(subject.answers[i].token_scores) for i in subject.numbers)
    assert f"probability of {2.718281828459045**least:.2f}" in answer
    assert [row["it is"] == "right" for row in table] == [subject.right[i] for i in subject.numbers]


def test_the_wall_counts_the_roles_of_its_table(transformer) -> None:
    table, answer = rows(transformer.report, "wall-maps"), page(transformer.report, "wall").answer
    roles = [row["role (best)"] for row in table if not row["role (best)"].startswith("none")]
    have = "has" if len(roles) == 1 else "have"
    assert f"{len(roles)} of {len(table)} heads {have} taken a role" in answer
    for role in set(roles):
        assert f"{roles.count(role)} {role}" in answer
    lost = {
        f"{row['attention']} head {row['head']}": float(
            row["change when ablated"].split(" (")[0].replace("−", "-")
        )
        for row in table
    }
    [most] = re.findall(r"most on (\S+ head \d+),", answer)
    assert lost[most] == min(lost.values())


def test_ablation_counts_what_its_tables_hold(transformer) -> None:
    table, answer = rows(transformer.report, "lost"), page(transformer.report, "ablation").answer
    sure = [row for row in table if row["sure"] and not row["lost"].startswith("−")]
    assert f"any one of {len(sure)} of the {len(table)} heads" in answer
    [lost] = [f for f in page(transformer.report, "ablation").figures if f.name == "lost"]
    assert lost.caption.endswith("95 % bootstrap intervals over the pairs.")  # all have a bar
    kept = [int(row["heads left"]) for row in rows(transformer.report, "pruning")]
    assert kept[0] == len(table) and kept[-1] == 0


def test_the_lens_ends_where_the_network_does(transformer) -> None:
    table = rows(transformer.report, "lens-layers")
    scored = transformer.subject.model.score(transformer.subject.averaged)
    every = [score for one in scored for score in one.token_scores]
    last = float(table[-1]["ln p a token"].replace("−", "-"))
    assert last == pytest.approx(sum(every) / len(every), abs=0.0051)
    assert table[-1]["settled"] == "100 %"


def test_all_measures_speak_of_one_layer(transformer) -> None:
    """The one that the answer names: the last but one, as `align` takes."""
    made = page(transformer.report, "alignment")
    at, figures = "decoder.0.cross", {figure.name: figure for figure in made.figures}
    assert (
        made.answer.startswith(f"In {at},") and f"How sharp {at} is" == figures["sharpness"].title
    )
    views = figures["grid"].drawing.data["views"]
    assert figures["grid"].drawing.data["at"] == at and f"open at {at};" in figures["grid"].caption
    assert f"those of {at}," in figures["agreement"].caption
    subject = transformer.subject
    for number, row in enumerate(subject.numbers):
        pair = replace(subject.asked.sources[row], target=subject.outputs[row])
        for by in ("weight", "norm"):
            [expected] = subject.model.align(pair, by=by)
            [seen] = alignment.measured(subject, by, at)[number : number + 1]
            assert torch.allclose(seen.matrix, expected.matrix, atol=1e-5)
        [norms] = [view for view in views if (view["method"], view["at"]) == ("norm", at)]
        assert unpacked(norms["values"][number]) == pytest.approx(
            alignment.shares(expected), abs=1 / 500
        )
    ats = {method: {v["at"] for v in views if v["method"] == method} for method in MEASURES}
    assert ats["weight"] == ats["norm"] == {"decoder.0.cross", "decoder.1.cross"}
    assert ats["gradient"] == ats["erasure"] == {alignment.WHOLE}


def test_errors_count_what_their_tables_count(either) -> None:
    answer = page(either.report, "errors").answer
    wrong = len(either.subject.right) - sum(either.subject.right)
    assert answer.startswith(f"{wrong} of {len(either.subject.right)} outputs")
    top = rows(either.report, "confusions")[0]
    quoted = f"“{top['output has']}” stands for “{top['reference has']}”"
    assert f"{top['times']} time" in answer and quoted in answer


def test_the_pairs_are_those_that_the_drawings_read(either) -> None:
    pairs = either.report.shared["pairs"]
    subject = either.subject
    for pair, number in zip(pairs, subject.numbers, strict=True):
        assert pair["output"] == subject.outputs[number]
        assert pair["text"] == subject.asked.sources[number].source
        assert len(pair["read"]) == len(pair["target"])
        assert pair["source"][-1] == "</s>"


def test_roles_that_were_given_are_found_again(transformer) -> None:
    fixed, biased = rows(transformer.report, "given")
    assert (fixed["role"], fixed["how"], fixed["in it"]) == ("previous", "fixed", "always")
    assert float(fixed["match"]) == pytest.approx(1.0)
    assert biased["at"] == "decoder.1.self" and float(biased["match"]) > float(biased["if even"])
    answer = page(transformer.report, "roles").answer
    assert answer.startswith("2 heads were given a role: 1 is fixed, and in its role by construct")
    assert ("is found" in answer) == (biased["in it"] == "yes")
