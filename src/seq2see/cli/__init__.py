"""The command line: one module a command, which imports what is heavy only when it runs.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | the reader of the output went away |
| 2 | data, a model, a setting or the command line is at fault; one message says what to mend |
| 130 | interrupted |
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seq2see.allocator import keep_freed_memory
from seq2see.errors import Seq2seeError, is_out_of_memory

if TYPE_CHECKING:
    import typer

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code.

    Args:
        arguments: what stands behind `seq2see` in the shell; None takes it from the shell.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    keep_freed_memory()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal may not know every character
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(arguments)
    except Seq2seeError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _fail(_disk_message(error))
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return _fail("memory ran out. Set a lower --batch-tokens, or train.batch_tokens.")


def build() -> typer.Typer:
    """Builds the application out of the modules of the commands."""
    import typer

    from seq2see.cli import options
    from seq2see.cli.bench import bench
    from seq2see.cli.check import check
    from seq2see.cli.compare import compare
    from seq2see.cli.demo import demo
    from seq2see.cli.evaluate import evaluate
    from seq2see.cli.look import look
    from seq2see.cli.score import score
    from seq2see.cli.shortlist import shortlist
    from seq2see.cli.study import study
    from seq2see.cli.train import train
    from seq2see.cli.translate import translate

    app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

    @app.callback()
    def seq2see(_version: options.Version = False, roles: options.Roles = "") -> None:
        """Train, score and use sequence-to-sequence models on files of pairs."""
        if roles:
            options.define_roles(roles)

    app.command("check")(check)
    app.command("train")(train)
    app.command("translate")(translate)
    app.command("score")(score)
    app.command("shortlist")(shortlist)
    app.command("evaluate")(evaluate)
    app.command("look")(look)
    app.command("study")(study)
    app.command("compare")(compare)
    app.command("bench")(bench)
    app.command("demo")(demo)
    return app


def _run(arguments: list[str]) -> int:
    # Not `app(...)`: that replaces the exception hook of the whole process.
    from typer.main import get_command

    try:
        get_command(build()).main(args=arguments, prog_name="seq2see", obj=tuple(arguments))
        sys.stdout.flush()
    except SystemExit as end:
        # Typer turns a broken pipe into exit code 1; what is still buffered must not raise again.
        if isinstance(end.__context__, BrokenPipeError):
            _drop_output()
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BrokenPipeError:
        _drop_output()
        return 1
    return 0


def _drop_output() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


def _disk_message(error: OSError) -> str:
    what = error.strerror or str(error)
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{what}. Check the path, the permissions and the space on the disk."
