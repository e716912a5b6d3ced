"""Options that several commands share, and what is checked before anything heavy starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from seq2see.errors import ConfigError

if TYPE_CHECKING:
    from seq2see.api.model import Model
    from seq2see.data.rows import Columns


def show_version(wanted: bool) -> None:
    """Prints the version and ends the program, if wanted."""
    if wanted:
        from seq2see import __version__

        typer.echo(f"seq2see {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=show_version, is_eager=True, help="Show the version."),
]
Roles = Annotated[
    str,
    typer.Option(
        "--roles",
        metavar="FILE.py",
        show_default=False,
        help="Run this file first, which defines roles of heads by @seq2see.role; before the"
        " command, as `seq2see --roles mine.py train DATA`.",
    ),
]
Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A TSV, two parallel files as train.en,train.de, JSON lines, each also gzipped, or"
        " hf:NAME.",
    ),
]
Bundle = Annotated[
    str,
    typer.Argument(
        metavar="BUNDLE",
        help="The folder of a trained model; several, separated by commas, are an ensemble.",
    ),
]
DataColumns = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="NAMES",
        help="Say which columns of a TSV to read, as source=1,target=2,features=3 (default:"
        " source=1,target=2, or those the model was trained on).",
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device", metavar="NAME", help="Compute on cpu, cuda or cuda:1; auto takes a GPU if any."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Beam = Annotated[
    int | None,
    typer.Option("--beam", metavar="N", help="Follow N hypotheses (default: the model's, 5)."),
]
LengthPenalty = Annotated[
    float | None,
    typer.Option(
        "--length-penalty",
        metavar="A",
        help="Rank by score / length ** A (default: the model's, 1.0).",
    ),
]
MaxLength = Annotated[
    int | None,
    typer.Option(
        "--max-length",
        metavar="N",
        help="Write N tokens at most (default: from the source's length; see docs).",
    ),
]
NoRepeat = Annotated[
    int | None,
    typer.Option(
        "--no-repeat-ngram",
        metavar="N",
        help="Write no n-gram of N tokens twice (default: the model's, 0, which allows it).",
    ),
]
BatchTokens = Annotated[
    int | None,
    typer.Option(
        "--batch-tokens",
        metavar="N",
        help="Decode N source tokens times hypotheses side by side (default: 8192).",
    ),
]
Precision = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="NAME",
        help="Compute in float32, bfloat16 or int8: faster, and no longer exact (default:"
        " float32).",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        help="Decode N groups of lines at a time (default: one a thread of the processor).",
    ),
]
Shortlist = Annotated[
    bool,
    typer.Option(
        "--shortlist",
        help="Score the target tokens on each source's shortlist alone, which `seq2see shortlist`"
        " has put into the model: faster, and no longer exact.",
    ),
]


def define_roles(path: str) -> None:
    """Runs a file of roles because the person who calls the command names it.

    Raises:
        ConfigError: the file cannot be read, fails, or defines no role.
    """
    import runpy

    from seq2see.nn.sides import Role

    try:
        names = runpy.run_path(path)
    except Exception as error:  # whatever the file does wrong
        raise ConfigError(
            f"the file fails ({type(error).__name__}: {error})",
            where=f"--roles {path}",
            mend="Mend the file; `python FILE` shows where it fails",
        ) from error
    if not any(isinstance(value, Role) for value in names.values()):
        raise ConfigError(
            "the file defines no role",
            expected="functions of two sides under @seq2see.role",
            where=f"--roles {path}",
        )


def given(**options: Any) -> dict[str, Any]:
    """Keeps the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def pair_columns(text: str) -> Columns:
    """Reads the columns of a command that needs targets.

    Raises:
        ConfigError: the text is malformed or names no target; name one.
    """
    from seq2see.data.rows import Columns

    columns = Columns.parse(text)
    if columns.target is None:
        raise ConfigError(
            "no column holds the target",
            expected="source and target, as source=1,target=2",
            where=f"--columns {text}",
            mend="Name the target's column",
        )
    return columns


def open_model(bundle: str, device: str) -> Model:
    """Opens one bundle, or an ensemble of several with the same tokenizers.

    Raises:
        BundleError: a bundle is damaged, or two cut text differently; the message names it.
        ConfigError: there is no such device.
    """
    from seq2see.api.model import load

    return load(bundle, device=device)
