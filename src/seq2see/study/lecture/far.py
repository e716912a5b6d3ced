"""Why does far information vanish in a recurrent network?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.report.charts import Axis, lines
from seq2see.report.view import Figure
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match, gradient_by_distance, size
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results
from seq2see.study.verdict import Verdict, judge

_MODELS = ("rnn", "gru", "lstm", "bilstm", "lstm+attention", "transformer")
_GAPS = (5, 20, 80)


def claim(results: Results) -> Verdict:
    """Expects attention to keep what a vanilla RNN loses over the longest gap."""
    far = str(_GAPS[-1])
    rnn = results.summary(EXACT, model="rnn", gap=far)
    seen = results.summary(EXACT, model="lstm+attention", gap=far)
    apart = results.difference(
        EXACT, {"model": "rnn", "gap": far}, {"model": "lstm+attention", "gap": far}
    )
    text = (
        f"Over a gap of {far} tokens the vanilla RNN answers {rnn.value:.0f} % right, the LSTM with"
        f" attention {seen.value:.0f} %."
    )
    return judge(text, apart)


def figures(results: Results) -> Sequence[Figure]:
    """Draws accuracy by gap, and the gradient by distance over the longest gap."""
    right = [
        {"gap": gap, "right": found.value, "low": found.low, "high": found.high, "model": model}
        for model in _MODELS
        for gap in _GAPS
        for found in [results.summary(EXACT, model=model, gap=str(gap))]
    ]
    left = [
        {"distance": at, "norm": max(found.value, 1e-12), "model": model}
        for model in _MODELS
        for at, found in results.curve("gradient norm", model=model, gap=str(_GAPS[-1]))
    ]
    return (
        Figure(
            "far-accuracy",
            "Right answers by gap",
            "Lines: the share of right answers of each architecture against the gap.",
            lines(right, Axis("gap", "tokens between"), Axis("right", EXACT), series="model"),
        ),
        Figure(
            "far-gradient",
            "What is left of an early input",
            "Lines: the gradient of a late encoder state by an early input, against the distance.",
            lines(
                left,
                Axis("distance", "tokens between input and state"),
                Axis("norm", "norm of the gradient", log=True),
                series="model",
            ),
            caption="The encoder's states of trained models, over the longest gap; logarithmic.",
        ),
    )


STUDY = Study(
    name="far",
    question="Why does far information vanish in a recurrent network?",
    varied="the architecture, and how many fillers stand between what is stored and the question",
    fixed="the task, its training pairs, the width, the number of updates, the schedule",
    hypothesis="The gradient of a late state by an early input falls exponentially in a vanilla RNN"
    " and stays flat with attention; with it falls the share of right answers.",
    caution="One width and one number of updates: a larger RNN, or one trained for longer, may"
    " reach further.",
    factors=(
        Factor("model", tuple(Level(name, (f"model.kind={name}",)) for name in _MODELS)),
        Factor("gap", tuple(Level(str(gap), sizes={"gap": (gap, gap)}) for gap in _GAPS)),
    ),
    material=Material("recall", train=3000, sizes={"pairs": (2, 2), "keys": 8, "joined": True}),
    measures=(exact_match, gradient_by_distance("encoder"), size),
    claim=claim,
    figures=figures,
    settings=(
        "train.steps=600",
        "train.batch_tokens=2048",
        "train.validations=4",
        "train.optimizer=adamw",  # one rule for all architectures; the default depends on them
    ),
)
