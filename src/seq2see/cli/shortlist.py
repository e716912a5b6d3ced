"""`seq2see shortlist`: what a source may be translated to, for a faster search."""

from __future__ import annotations

from typing import Annotated

import typer

from seq2see.cli import options

Frequent = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=1, help="Let every source use the N most frequent ones (default: 1000)."
    ),
]
Likely = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=0, help="Let each source token add its N likeliest (default: 5)."
    ),
]
Out = Annotated[
    str,
    typer.Option(metavar="FOLDER", help="Save the model here instead (default: where it stands)."),
]


def shortlist(
    bundle: options.Bundle,
    data: options.Data,
    columns: options.DataColumns = "",
    frequent: Frequent = None,
    likely: Likely = None,
    out: Out = "",
) -> None:
    """Learn from the training pairs which target tokens a source may need, for `--shortlist`."""
    from seq2see.cli.output import note

    model = options.open_model(bundle, "cpu")
    options.pair_columns(columns or model.recipe.data.columns)
    pairs = model.read(data, columns)
    narrow = model.learn_shortlist(pairs, **options.given(frequent=frequent, likely=likely))
    narrow.save(out or bundle)
    note(
        f"learnt from {len(pairs):,} pairs."
        f" Use it: seq2see translate {out or bundle} FILE --shortlist"
    )
