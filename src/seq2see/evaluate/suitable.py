"""Chooses the metrics that suit a task by looking at its text."""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.errors import DataError

# Phone sets have 40 to 200 symbols of 1 to 3 letters; English words are 4.5 letters long on average
# and thousands.
_MOST_SYMBOLS = 250
_SYMBOL_LENGTH = 3.5
_SPELLED_LENGTH = 1.5  # "c a t": a word written with blanks between its letters
_TOKENISED = 0.9
_LAST_MARKS = tuple(".!?。！？…।؟")


def suitable(sources: Sequence[str], targets: Sequence[str]) -> tuple[str, ...]:
    """Names the metrics that suit the task, the one for early stopping first.

    The first rule that holds decides:

    1. Targets are symbols (most have two or more, the inventory is at most 250 symbols of at most
       3.5 characters on average) and most sources are single words, or spelled with blanks between
       their letters: pronunciation, `wer` and `per`.
    2. Most targets have no blank. They are words: inflection, normalisation, transliteration,
       `accuracy` and `cer`. If most end in a full stop or its kin they are sentences of a script
       without blanks, whose words no tokeniser here finds: `chrf` and `cer`.
    3. Otherwise targets are sentences. If 9 of 10 full stops at their ends and commas after words
       stand behind a blank, the text is tokenised: `bleu-tok` and `chrf`; else `bleu` and `chrf`.
       Question and exclamation marks do not count: French sets a blank before them in any text.

    Args:
        sources: source texts, one a pair.
        targets: target texts, one a pair.

    Returns:
        Names out of `METRICS`.

    Raises:
        DataError: there is no pair to look at; give at least one.
    """
    if len(sources) != len(targets):
        raise ValueError(f"{len(sources)} sources but {len(targets)} targets")
    if not targets:
        raise DataError(
            "there is no pair to choose metrics by", mend="Give at least one pair with text"
        )
    pieces = [target.split() for target in targets]
    if 2 * sum(len(piece) > 1 for piece in pieces) <= len(pieces):
        final = sum(target.rstrip().endswith(_LAST_MARKS) for target in targets)
        return ("chrf", "cer") if 2 * final > len(targets) else ("accuracy", "cer")
    if _are_symbols(pieces) and _are_words([source.split() for source in sources]):
        return "wer", "per"
    return ("bleu-tok" if _is_tokenised(pieces) else "bleu"), "chrf"


def _are_symbols(lines: Sequence[Sequence[str]]) -> bool:
    inventory = {symbol for line in lines for symbol in line}
    return len(inventory) <= _MOST_SYMBOLS and _mean_length(lines) <= _SYMBOL_LENGTH


def _are_words(lines: Sequence[Sequence[str]]) -> bool:
    single = sum(len(line) <= 1 for line in lines)
    return 2 * single > len(lines) or _mean_length(lines) <= _SPELLED_LENGTH


def _mean_length(lines: Sequence[Sequence[str]]) -> float:
    count = sum(map(len, lines))
    return sum(len(piece) for line in lines for piece in line) / max(count, 1)


def _is_tokenised(lines: Sequence[Sequence[str]]) -> bool:
    apart = attached = 0
    for line in lines:
        final = line[-1] if line else ""
        apart += final == "."
        attached += len(final) > 1 and final.endswith(".")
        apart += line.count(",")
        attached += sum(len(piece) > 1 and piece.endswith(",") for piece in line)
    return apart > 0 and apart >= _TOKENISED * (apart + attached)
