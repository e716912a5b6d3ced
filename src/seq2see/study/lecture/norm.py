"""Why is it layer normalisation that a Transformer has?"""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.nn.norms import POOLS_OVER_TIME
from seq2see.report.charts import Axis, bars
from seq2see.report.view import Figure
from seq2see.study import rows
from seq2see.study.material import Material
from seq2see.study.measures import EXACT, exact_match
from seq2see.study.modes import GAP, LOSS, gap, loss
from seq2see.study.plan import Factor, Level, Study
from seq2see.study.results import Results
from seq2see.study.settings import RUN, TRANSFORMER, WORDS
from seq2see.study.verdict import Verdict, judge

_NORMS = ("layer", "rms", "group", "batch", "instance", "none")
_SMALL, _LARGE = "128", "1024"


def _level(kind: str) -> Level:
    beside = ("model.decoder_norm=layer",) if kind in POOLS_OVER_TIME else ()
    return Level(kind, (f"model.norm={kind}", *beside))


def claim(results: Results) -> Verdict:
    """Expects batch normalisation to differ most between training and use in small batches.

    There by more than layer, RMS and group normalisation.
    """
    small = {"norm": "batch", "batch": _SMALL}
    by_size = results.difference(GAP, small | {"batch": _LARGE}, small)
    by_kind = [
        results.difference(GAP, small | {"norm": kind}, small)
        for kind in ("layer", "rms", "group")
        if results.has(GAP, norm=kind, batch=_SMALL)
    ]
    found = results.summary(GAP, at=None, **small)
    text = (
        f"In batches of {_SMALL} tokens the losses of batch normalisation in training and in use"
        f" are {found.value:.3f} nats a token apart, {by_size.value:.3f} more than in batches of"
        f" {_LARGE}; layer, RMS and group normalisation have no such gap."
    )
    return judge(text, by_size, *by_kind)


def figures(results: Results) -> Sequence[Figure]:
    """Draws the loss of every norm and batch, and the gap of those that have one."""
    name = Axis("name", "", type="nominal")
    return (
        Figure(
            "norm-loss",
            "Loss by norm and batch",
            "Bars: the loss on unseen pairs by kind of norm and tokens a batch.",
            bars(rows.by_condition(results, LOSS), name, Axis("value", LOSS, zero=True)),
            caption="Kind of norm, padded tokens a batch.",
        ),
        Figure(
            "norm-gap",
            "How far training and use are apart",
            "Bars: how far the loss in use is from that under the statistics of the batch at hand.",
            bars(rows.by_condition(results, GAP), name, Axis("value", GAP, zero=True)),
        ),
    )


STUDY = Study(
    name="norm",
    question="Why is it layer normalisation that a Transformer has?",
    varied="what normalisation averages over, and the tokens of a batch",
    fixed="the task, its training pairs, the network, the number of updates (a small batch sees"
    f" fewer pairs in them); {EXACT.partition(' (')[0]} is decoded greedily",
    hypothesis="Batch normalisation has a gap between training and use that grows as batches become"
    " smaller (Shen et al. 2020 find its statistics unsteady on text); layer, RMS and group"
    " normalisation have none.",
    caution="Batch and instance normalisation stand in the encoder alone: in a decoder their"
    " averages would let the past see the future. The norms of one token meet no such difficulty"
    " here, and may differ in networks that are deeper. That the gap counts in either direction was"
    " decided after a trial with seed 1.",
    factors=(
        Factor("norm", tuple(map(_level, _NORMS))),
        Factor.setting("batch", "train.batch_tokens", (_SMALL, _LARGE)),
    ),
    material=Material("sort", train=4000, sizes={"length": (3, 8)}),
    measures=(exact_match, loss, gap),
    claim=claim,
    figures=figures,
    settings=(*WORDS, *TRANSFORMER, *RUN, "model.dropout=0"),
)
