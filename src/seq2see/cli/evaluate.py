"""`seq2see evaluate`: how good a model is, how sure that is, and whether it beats another."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from seq2see.cli import options

if TYPE_CHECKING:
    from rich.console import Console

    from seq2see.api.evaluation import Evaluation
    from seq2see.evaluate.significance import Comparison

Metrics = Annotated[
    str,
    typer.Option(
        metavar="NAMES",
        help="Score by these, as bleu,chrf, out of bleu, bleu-tok, chrf, accuracy, wer, per, cer"
        " (default: those that suit the task).",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(metavar="BUNDLE", help="Test whether BUNDLE differs from this other model."),
]
EachLine = Annotated[
    bool,
    typer.Option(
        "--each-line",
        help="Count every line once, against its own target (default: every distinct source once,"
        " against all of its targets).",
    ),
]


def evaluate(
    bundle: options.Bundle,
    data: options.Data,
    metrics: Metrics = "",
    against: Against = None,
    each_line: EachLine = False,
    columns: options.DataColumns = "",
    beam: options.Beam = None,
    length_penalty: options.LengthPenalty = None,
    max_length: options.MaxLength = None,
    no_repeat_ngram: options.NoRepeat = None,
    batch_tokens: options.BatchTokens = None,
    precision: options.Precision = None,
    shortlist: options.Shortlist = False,
    workers: options.Workers = None,
    as_json: options.Json = False,
    device: options.Device = "auto",
) -> None:
    """Score a model on pairs, with intervals. All targets of a source are its references."""
    from seq2see.cli.output import console, write_json

    names = _checked(metrics)
    model = options.open_model(bundle, device)
    options.pair_columns(columns or model.recipe.data.columns)
    other = options.open_model(against, device) if against else None
    search = options.given(
        beam=beam, length_penalty=length_penalty, max_length=max_length,
        no_repeat_ngram=no_repeat_ngram, batch_tokens=batch_tokens,
        precision=precision, workers=workers, shortlist=shortlist,
    )  # fmt: skip
    found = model.evaluate(
        data, names, columns=columns, against=other, each_line=each_line, **search
    )
    if as_json:
        asked = {"bundle": bundle, "data": data, "against": against, "each_line": each_line}
        record = {**asked, **asdict(found)}
        del record["outputs"]
        write_json(record, indent=2)
    else:
        _show(console(), found, bundle, against)


def _checked(metrics: str) -> list[str]:
    """Splits names of metrics; a wrong one is found before anything is decoded."""
    from seq2see.evaluate.metrics import metric_named

    return [metric_named(name.strip()).name for name in metrics.split(",") if name.strip()]


def _show(screen: Console, found: Evaluation, bundle: str, against: str | None) -> None:
    from seq2see.cli.output import score_table

    screen.print(score_table(map(asdict, found.scores)))
    screen.print(f"source pieces never seen in training: {found.unknown_share:.2%}")
    if found.blank:
        screen.print(f"pairs without text on either side, not scored: {found.blank:,}")
    if found.unfinished:
        screen.print(
            f"outputs that reached the length limit without an end mark: {found.unfinished:,} of"
            f" {len(found.outputs):,}"
        )
    if against is not None:
        screen.print(f"\n{bundle} against {against}:")
        _show_comparisons(screen, found.comparisons)


def _show_comparisons(screen: Console, comparisons: tuple[Comparison, ...]) -> None:
    from seq2see.cli.output import interval, table

    heads = ("metric", "it", "the other", "difference", "95 % interval", "p", "significant")
    rows = (
        (
            one.metric,
            f"{one.second.value:.2f}",
            f"{one.first.value:.2f}",
            f"{one.difference:+.2f}",
            interval(one.low, one.high),
            f"{one.p_value:.4f}",
            "yes" if one.significant else "no",
        )
        for one in comparisons
    )
    screen.print(table(heads, rows, numbers=heads[1:6]))
