"""How outputs arise: the tree of a beam search, step by step."""

from __future__ import annotations

import math
from typing import Any

from seq2see.decode.tree import Step, Tree
from seq2see.report.numbers import counted, fixed
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Drawing, Figure, Link, Page, table

TITLE = "Decoding"


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    if not any(tree.steps for tree in subject.trees):
        return Absent(TITLE, "No source has text that could be decoded.")
    return Page(
        "decoding",
        TITLE,
        "How does an output arise, and where did the search hesitate?",
        _answer(subject),
        "Probabilities are the model's own; they are calibrated on no data, and a sure token can be"
        " a wrong one.",
        (_figure(subject), _outputs(subject)),
    )


def greedy_to_the_end(tree: Tree) -> bool:
    """Tells whether the best output took the most probable token at every step."""
    return all(token == likely[0][0] for token, likely in along(tree))


def along(tree: Tree) -> list[tuple[int, tuple[tuple[int, float], ...]]]:
    """Follows the best output: each of its tokens with what was likely there, best first."""
    if not tree.found:
        return []
    ids = tree.found[0].ids
    path = []
    for place, step in enumerate(tree.steps[: len(ids)]):
        at = step.hypotheses.index(ids[:place])
        path.append((ids[place], step.likely[at]))
    return path


def _answer(subject: Subject) -> str:
    trees = subject.trees
    greedy = sum(map(greedy_to_the_end, trees))
    least = [min(math.exp(s) for s in tree.found[0].token_scores) for tree in trees if tree.found]
    many = len(trees)
    others = (
        "greedy search would have written the same every time"
        if greedy == many
        else f"in {many - greedy} the beam found what greedy search would have missed"
    )
    return (
        f"In {greedy} of the {counted(many, 'pair')} opened here the best output takes the most"
        f" probable token at every step, and {others}; the least sure token of all has a"
        f" probability of {fixed(min(least))}."
    )


def _figure(subject: Subject) -> Figure:
    width = subject.translator.options.beam
    data = {
        "width": width,
        "trees": [
            _drawn(subject, tree, number)
            for tree, number in zip(subject.trees, subject.numbers, strict=True)
        ],
    }
    return Figure(
        "beam",
        "The search, step by step",
        "A tree for each pair: a column a step, in it the"
        f" {counted(width, 'hypothesis', 'hypotheses')} that are kept and those that are dropped;"
        " below it the most probable tokens of the chosen step.",
        Drawing("beam", data),
        caption=f"Beam of {width}. Solid: kept; ringed: ended; dashed: dropped for better ones. The"
        " thick line leads to the best output. Move through the steps with the slider.",
    )


def _drawn(subject: Subject, tree: Tree, number: int) -> dict[str, Any]:
    tokenizers = subject.translator.tokenizers
    _, [unknown] = tokenizers.sources([subject.asked.sources[number]])
    names: dict[int, str] = {}

    def name(token: int) -> int:
        names.setdefault(token, tokenizers.target.pieces([token], unknown)[0])
        return list(names).index(token)

    steps = [_step(step, name) for step in tree.steps]
    best = [name(token) for token in tree.found[0].ids] if tree.found else []
    return {"steps": steps, "best": best, "names": list(names.values())}


def _step(step: Step, name: Any) -> dict[str, Any]:
    return {
        "totals": [round(total, 3) for total in step.totals],
        "likely": [[[name(i), round(math.exp(s), 4)] for i, s in each] for each in step.likely],
        "ways": [
            [w.parent, name(w.token), round(math.exp(w.score), 4), round(w.total, 3), w.fate[0]]
            for w in step.ways
        ],
    }


def _outputs(subject: Subject) -> Figure:
    rows = []
    for at, (tree, number) in enumerate(zip(subject.trees, subject.numbers, strict=True)):
        answer = subject.answers[number]
        likely = along(tree)
        margins = [
            each[0][1] - each[1][1]
            for token, each in likely
            if len(each) > 1 and token == each[0][0]
        ]
        rows.append(
            (
                Link(str(at + 1), "decoding", at),
                subject.asked.sources[number].source,
                answer.text,
                " / ".join(dict.fromkeys(subject.asked.references[number])),
                "right" if subject.right[number] else "wrong",
                fixed(answer.score),
                fixed(min(margins, default=math.nan)),
            )
        )
    heads = ("pair", "source", "output", "references", "it is", "ln p", "least margin")
    return Figure(
        "outputs",
        "The pairs opened in this report",
        f"{counted(len(rows), 'pair')} with outputs and references.",
        table=table(heads, rows, ("pair", "ln p", "least margin")),
        caption="ln p: the logarithm of the output's probability, in nats. Least margin: how near,"
        " in nats, the second token of a step came to the first. About half of the pairs are chosen"
        " among the wrong ones.",
        open=True,
    )
