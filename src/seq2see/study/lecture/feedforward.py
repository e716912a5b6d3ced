"""What are the feed-forward layer and the skip connection for?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, bars, lines
from seq2see.report.view import Figure
from seq2see.study import rows
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match, size
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results
from seq2see.study.settings import RUN, TRANSFORMER, WORDS
from seq2see.study.states import LAST, RESIDUE, collapse
from seq2see.study.verdict import Verdict, judge

_KINDS = ("none", "none, wider", "linear", "relu", "swiglu")
_DEPTHS = (1, 4)
_DEEP = str(_DEPTHS[-1])
# Of the parameters of `relu`: SwiGLU has three matrices for two, and attention alone is made wider.
_EQUAL = {
    "none, wider": ("model.feedforward=none", "model.d_model=96"),
    "swiglu": ("model.feedforward=swiglu", "model.d_ff=170"),
}


def claim(results: Results) -> Verdict:
    """Expects skips to keep tokens apart, and a bent layer to beat attention alone of its size.

    Skips have to do so with every kind of feed-forward layer, since none takes their place.
    """
    on = {"feedforward": "relu", "skip": "true", "depth": _DEEP}
    kinds = dict.fromkeys(each["feedforward"] for each in results.conditions())
    apart = {
        kind: results.difference(
            RESIDUE,
            {"feedforward": kind, "skip": "false", "depth": _DEEP},
            {"feedforward": kind, "skip": "true", "depth": _DEEP},
            series=LAST,
        )
        for kind in kinds
    }
    bent = results.difference(EXACT, on | {"feedforward": "none, wider"}, on)
    told = ", ".join(f"{kind} {each.value:.2f}" for kind, each in apart.items())
    text = (
        f"At depth {_DEEP} the last res(X) is so much higher with skips than without: {told}; the"
        f" ReLU layer adds {bent.value:.1f} points of right outputs to attention alone of its size."
    )
    return judge(text, *apart.values(), bent)


def figures(results: Results) -> Sequence[Figure]:
    """Draws right outputs of every condition, and res(X) by sub-layer at the greatest depth."""
    right = rows.by_condition(results, EXACT)
    levels = [
        {**each, "value": max(each["value"], 1e-12)}
        for each in rows.by_place(results, RESIDUE, depth=_DEEP)
        if each["feedforward"] in ("none", "relu")
    ]
    for each in levels:  # a logarithmic axis has no place for an end of a whisker below 0
        each.pop("low", None)
        each.pop("high", None)
        each["name"] = f"{each['feedforward']}, skip {each['skip']}"
    return (
        Figure(
            "feedforward-right",
            "Right outputs",
            "Bars: the share of right outputs by kind of feed-forward layer, skips and depth.",
            bars(right, Axis("name", "", type="nominal"), Axis("value", EXACT, zero=True)),
            caption="Kind of the feed-forward layer, whether there are skips, layers a side.",
        ),
        Figure(
            "feedforward-collapse",
            "Do tokens become alike?",
            "Lines: res(X) after each sub-layer of the encoder, with and without skips.",
            lines(
                levels,
                Axis("at", "sub-layer", format="d"),
                Axis("value", "res(X)", log=True),
                series="name",
                points=True,
            ),
            caption="0: all positions hold the same vector. Logarithmic; 0 is the embedding.",
        ),
    )


STUDY = Study(
    name="feedforward",
    question="What are the feed-forward layer and the skip connection for?",
    varied="the feed-forward layer, whether a sub-layer's input is added to its output, the depth",
    fixed="the task, its training pairs, the number of updates; the parameters of `none, wider`,"
    " linear, relu and swiglu at one depth, to a tenth",
    hypothesis="Without skips the tokens of a deep network become alike, and no feed-forward layer"
    " stops it (Dong et al. 2021); the bent layer gives each token more than attention alone of the"
    " same size.",
    caution="How alike tokens become is measured in networks that were trained: training works"
    " against the collapse. A network without skips may only need other settings.",
    factors=(
        Factor(
            "feedforward",
            tuple(Level(kind, _EQUAL.get(kind, (f"model.feedforward={kind}",))) for kind in _KINDS),
        ),
        Factor.setting("skip", "model.residual", (True, False)),
        Factor(
            "depth",
            tuple(
                Level(str(n), (f"model.encoder_layers={n}", f"model.decoder_layers={n}"))
                for n in _DEPTHS
            ),
        ),
    ),
    material=Material("sort", train=4000, sizes={"length": (3, 8)}),
    measures=(exact_match, collapse(), size),
    claim=claim,
    figures=figures,
    settings=(*WORDS, *TRANSFORMER, *RUN),
)
