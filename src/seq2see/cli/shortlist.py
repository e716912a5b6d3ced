"""`seq2see shortlist`: what a source may be translated to, for a faster search."""

from __future__ import annotations

from typing import Annotated

import typer

from seq2see.cli import options

Frequent = Annotated[
    int,
    typer.Option(metavar="N", min=1, help="Let every source use the N most frequent tokens."),
]
Likely = Annotated[
    int,
    typer.Option(metavar="N", min=0, help="Let each token of a source add its N likeliest."),
]
Out = Annotated[
    str,
    typer.Option(metavar="FOLDER", help="Save the model here instead (default: where it stands)."),
]


def shortlist(
    bundle: options.Bundle,
    data: options.Data,
    columns: options.DataColumns = "",
    frequent: Frequent = 1000,
    likely: Likely = 5,
    out: Out = "",
) -> None:
    """Learn from the training pairs which target tokens a source may need, for `--shortlist`."""
    from seq2see.cli.output import note
    from seq2see.decode.shortlist import covered

    model = options.open_model(bundle, "cpu")
    options.pair_columns(columns or model.recipe.data.columns)
    pairs = model.read(data, columns)
    narrow = model.learn_shortlist(pairs, frequent=frequent, likely=likely)
    narrow.save(out or bundle)
    learnt, tokenizers = narrow.bundles[0].shortlist, model.bundles[0].tokenizers
    assert learnt is not None
    share, size = covered(learnt, tokenizers, pairs), tokenizers.target.size
    note(
        f"{len(pairs):,} pairs: of {size:,} target tokens, {frequent:,} for every source and up to"
        f" {likely} more for each of its tokens; {share:.2%} of what the targets"
        f" hold. Use it: seq2see translate {out or bundle} FILE --shortlist"
    )
