"""Defaults that learn: what nobody wrote down is chosen from the data, and the reason is kept."""

from __future__ import annotations

from typing import Any

from seq2see.config import Tree, parse
from seq2see.data.tokenizers import TokenKind
from seq2see.errors import ConfigError
from seq2see.recipe import budget
from seq2see.recipe.chooser import Chooser
from seq2see.recipe.sections import DataSettings, Recipe
from seq2see.recipe.survey import SideSurvey, Survey
from seq2see.train.settings import TrainSettings

_SYMBOLS, _SYMBOL_LENGTH = 500, 3.5
_SENTENCE_WORDS = 2.0
_SAME_ALPHABET = 0.5
_COPYING = 0.5
COPIES = 8


def choose(tree: Tree, survey: Survey) -> tuple[Recipe, list[tuple[str, Any, str]]]:
    """Completes a draft from what the data look like.

    Returns:
        The resolved recipe, and the reason of every automatic choice.
    """
    chooser = Chooser({k: dict(v) if isinstance(v, dict) else v for k, v in tree.items()})
    _choose_tokens(chooser, survey)
    budget.choose_model(chooser, survey)
    budget.choose_training(chooser, survey)
    return Recipe.from_tree(chooser.tree), chooser.reasons


def _choose_tokens(chooser: Chooser, survey: Survey) -> None:
    # What is misspelt or malformed is reported before anything is calculated from it.
    parse(DataSettings, chooser.tree.get("data", {}), "data")
    parse(TrainSettings, chooser.tree.get("train", {}), "train")
    for name, side in (("source", survey.source), ("target", survey.target)):
        kind, why = _kind(side)
        chooser.fill("data", name, kind, why)
    data = chooser.tree["data"]
    common = len(survey.source.alphabet & survey.target.alphabet)
    overlap = common / max(1, min(len(survey.source.alphabet), len(survey.target.alphabet)))
    alike = data["source"] == data["target"]
    why = f"share {overlap:.0%} of the smaller alphabet" if alike else "are cut differently"
    joint = chooser.fill("data", "joint", alike and overlap >= _SAME_ALPHABET, f"the sides {why}")
    joint = chooser.tree["data"]["joint"] = joint in (True, "yes")
    if joint and data["source"] != data["target"]:
        raise ConfigError(
            f"one vocabulary cannot cut the source into {data['source']} and the target into"
            f" {data['target']}",
            where="data.joint",
            mend="Set data.joint=false, or cut both sides alike",
        )
    compose = survey.source.hangul or survey.target.hangul
    why = "Hangul syllables fall apart into letters" if compose else "there is no Hangul"
    compose = chooser.fill("data", "compose", compose, why)
    chooser.tree["data"]["compose"] = compose in (True, "yes")
    copying = joint and data["source"] in ("characters", "words") and survey.copied >= _COPYING
    why = f"{survey.copied:.0%} of the target's characters stand in the source"
    chooser.fill("data", "copies", COPIES if copying else 0, why)
    if "bpe" in (data["source"], data["target"]) or "unigram" in (data["source"], data["target"]):
        size = budget.vocabulary(survey)
        chooser.fill("data", "vocabulary", size, f"{survey.pairs:,} pairs")


def _kind(side: SideSurvey) -> tuple[TokenKind, str]:
    inventory = f"{side.symbols:,} distinct words of {side.symbol_length:.1f} characters"
    if side.spaced > 0.5 and side.symbols <= _SYMBOLS and side.symbol_length <= _SYMBOL_LENGTH:
        return "words", f"a small set of symbols between blanks: {inventory}"
    if side.words >= _SENTENCE_WORDS:
        return "bpe", f"sentences of {side.words:.1f} words: {inventory}"
    return "characters", f"single words of {side.characters:.1f} characters"
