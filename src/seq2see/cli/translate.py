"""`seq2see translate`: one line out for each line in."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seq2see.cli import options
from seq2see.errors import ConfigError, DecodingError

if TYPE_CHECKING:
    from seq2see.api.model import Model
    from seq2see.cli.shape import Shape

_DRAWING = ("temperature", "top_k", "top_p", "seed")

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE|-", help="Sources, one a line, or JSON lines; - is standard input."
    ),
]
Nbest = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Write the N best of each line as INDEX ||| text ||| score (default: the best text).",
    ),
]
Sample = Annotated[bool, typer.Option("--sample", help="Draw at random instead of searching.")]
Temperature = Annotated[
    float | None,
    typer.Option(metavar="T", help="With --sample, divide the logits by T (default: 1.0)."),
]
TopK = Annotated[
    int | None,
    typer.Option(
        metavar="K", help="With --sample, draw from the K likeliest tokens (default: 0, all)."
    ),
]
TopP = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        help="With --sample, draw from the likeliest tokens that reach P together (default: 1.0).",
    ),
]
Seed = Annotated[
    int | None, typer.Option(metavar="N", help="With --sample, the seed of the draws (default: 1).")
]
Scores = Annotated[
    bool,
    typer.Option(
        "--scores", help="Add TAB, score in nats, TAB, share of source pieces never seen."
    ),
]
Alignments = Annotated[
    bool,
    typer.Option("--alignments", help="Add TAB and source-target pairs of pieces, from 0."),
]
Prefix = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Begin each output with the text on its line of this file."),
]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="NAMES",
        help="Read these tab-separated columns, as source=1,features=2 (default: the whole line).",
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Refuse a source longer than all those seen in training."),
]


def translate(
    bundle: options.Bundle,
    file: File = "-",
    beam: options.Beam = None,
    nbest: Nbest = None,
    sample: Sample = False,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    seed: Seed = None,
    length_penalty: options.LengthPenalty = None,
    max_length: options.MaxLength = None,
    scores: Scores = False,
    alignments: Alignments = False,
    prefix: Prefix = None,
    batch_tokens: options.BatchTokens = None,
    precision: options.Precision = None,
    shortlist: options.Shortlist = False,
    workers: options.Workers = None,
    columns: Columns = None,
    no_repeat_ngram: options.NoRepeat = None,
    strict: Strict = False,
    device: options.Device = "auto",
) -> None:
    """Translate a file or standard input. Each line in gives one line out, empty ones too."""
    changes = options.given(
        beam=beam, nbest=nbest, temperature=temperature, top_k=top_k, top_p=top_p, seed=seed,
        length_penalty=length_penalty, max_length=max_length, batch_tokens=batch_tokens,
        no_repeat_ngram=no_repeat_ngram, precision=precision, workers=workers, shortlist=shortlist,
    )  # fmt: skip
    _check_drawing(changes, sample)
    from seq2see.cli.shape import Shape

    changes |= {"sample": sample, "alignments": alignments, "strict": strict}
    model = options.open_model(bundle, device)
    shape = Shape(nbest is not None, scores, alignments)
    _write(model, shape, changes, (file, columns, prefix))


def _check_drawing(changes: dict[str, Any], sample: bool) -> None:
    """Refuses options that would have no effect."""
    idle = ["beam"] if sample else list(_DRAWING)
    for name in idle:
        if name in changes:
            raise ConfigError(
                "has no effect with --sample" if sample else "has no effect without --sample",
                where=f"--{name.replace('_', '-')}",
                mend="Leave one of the two out" if sample else "Add --sample, or leave it out",
            )


def _write(
    model: Model, shape: Shape, changes: dict[str, Any], data: tuple[str, str | None, str | None]
) -> None:
    from seq2see.cli.output import note, write_lines
    from seq2see.cli.stream import CHUNK, chunks, requests
    from seq2see.data.rows import Columns as Layout
    from seq2see.data.sources import form_of

    file, columns, prefix = data
    _check_model(model, shape, file, columns)
    translator = model.translator(**changes)
    asked = requests(file, None if columns is None else Layout.parse(columns), prefix)
    whole, tabbed = columns is None and form_of(file) == "tsv", list[int]()
    # A person at a terminal wants each answer before the next question.
    asking = file == "-" and sys.stdin is not None and sys.stdin.isatty()
    for chunk in chunks(asked, 1 if asking else CHUNK):
        pairs, prefixes = [pair for pair, _ in chunk], [text for _, text in chunk]
        tabbed += [pair.line for pair in pairs if whole and "\t" in pair.source]
        try:
            found = translator.translate(pairs, prefixes)
        except DecodingError as error:
            raise _placed(error, file) from error
        together = zip(pairs, found, strict=True)
        write_lines(line for pair, nbest in together for line in shape.lines(pair, nbest))
    for text in (_tab_note(tabbed), shape.note(), shape.stopped_note()):
        if text:
            note(text)


def _tab_note(lines: list[int]) -> str:
    """Says which lines look like rows of a table though each was read as one source."""
    from seq2see.cli.shape import listed

    if not lines:
        return ""
    return (
        f"{len(lines):,} lines hold a tab and were read whole; name the columns with"
        f" --columns source=1 (input lines {listed(lines)})"
    )


def _check_model(model: Model, shape: Shape, file: str, columns: str | None) -> None:
    from seq2see.cli.output import note
    from seq2see.data.rows import Columns as Layout
    from seq2see.data.sources import form_of
    from seq2see.decode.align import last_cross

    looking = any(last_cross(bundle.network) is not None for bundle in model.bundles)
    if shape.alignments and not looking:
        raise ConfigError(
            "this model has no attention over the source",
            where="--alignments",
            mend="Leave --alignments out, or train a model with attention",
        )
    trained = Layout.parse(model.recipe.data.columns)
    if trained.features is not None and columns is None and form_of(file) == "tsv":
        note(
            "the model was trained with features, and whole lines are read as sources;"
            f" name the columns as in --columns source={trained.source},features={trained.features}"
        )


def _placed(error: DecodingError, file: str) -> DecodingError:
    """Names the file beside the line."""
    from seq2see.data.sources import name_of

    number = error.where.removeprefix("line ")
    if number == error.where:
        return error
    where = f"{name_of(file)}:{number}"
    return DecodingError(error.found, expected=error.expected, where=where, mend=error.mend)
