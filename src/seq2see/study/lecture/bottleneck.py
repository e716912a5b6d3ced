"""What does it cost that a whole source has to pass through one vector?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure
from seq2see.study import rows, settings
from seq2see.study.accuracy import WORDS, words_right
from seq2see.study.contrast import fall, over, under
from seq2see.study.material import Material
from seq2see.study.measures import exact_match, size
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results
from seq2see.study.verdict import Verdict, allowed, judge

_NONE, _SEEN = "none", "additive"
_FORWARD, _REVERSED = "forward", "reversed"
_SMALL = 5.0
"""Points of right words up to which neither length nor order counts."""


def claim(results: Results) -> Verdict:
    """Expects right words to fall with length, and a reversed source to help, without attention.

    With attention neither may come to more than `_SMALL` points.
    """
    plain, turned, seen, both = (
        {"attention": attention, "source": source}
        for attention in (_NONE, _SEEN)
        for source in (_FORWARD, _REVERSED)
    )
    falls = [fall(results, WORDS, **where) for where in (plain, seen)]
    means = [results.mean(WORDS, where) for where in (plain, turned, seen, both)]
    text = (
        f"Without attention {means[0]:.0f} % of words are right, {means[1]:.0f} % with the source"
        f" reversed; with attention {means[2]:.0f} % and {means[3]:.0f} %. From the shortest third"
        f" of lengths to the longest {over(falls[0]).value:.0f} points are lost without attention,"
        f" {over(falls[1]).value:.0f} with it."
    )
    return judge(
        text,
        over(falls[0]),
        results.difference(WORDS, plain, turned),
        under(falls[1], _SMALL),
        allowed(results.difference(WORDS, both, seen), _SMALL),
    )


def figures(results: Results) -> Sequence[Figure]:
    """Draws the share of right words by length."""
    found = [
        {**row, "model": f"attention {row['attention']}, source {row['source']}"}
        for row in rows.by_place(results, WORDS)
    ]
    return (
        Figure(
            "bottleneck-length",
            "Right words by length",
            "Lines: the share of right words against the number of words, for each condition.",
            lines(found, Axis("at", "words of the source"), Axis("value", WORDS), series="model"),
            caption="A word is right where it stands at its place of the target.",
        ),
    )


STUDY = Study(
    name="bottleneck",
    question="What does it cost that a whole source has to pass through one vector?",
    varied="attention or none, the order in which the source is read, its length",
    fixed="a one-directional GRU, its width, the texts to be copied, the number of updates",
    hypothesis="Without attention accuracy falls with length, and reading the source backwards"
    " helps, since its first words then stand next to those of the target (Sutskever et al. 2014);"
    " with attention neither holds.",
    caution="Copied words have no grammar, from which a model of language could guess what the"
    " vector lost.",
    factors=(
        Factor.setting("attention", "model.attention", (_NONE, _SEEN)),
        Factor(
            "source",
            (Level(_FORWARD, sizes={"task": "copy"}), Level(_REVERSED, sizes={"task": "reverse"})),
        ),
    ),
    material=Material("copy", train=4000, sizes={"length": (2, 16), "vocabulary": 12}),
    measures=(words_right, exact_match, size),
    claim=claim,
    figures=figures,
    settings=(
        "model.kind=gru",
        *settings.recurrent("gru")[1:],
        "model.bidirectional=false",
        *settings.training(800, 2048),
    ),
)
