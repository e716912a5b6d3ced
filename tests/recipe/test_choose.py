"""Automatic choices: what the data look like decides, and what is written always wins."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from fixtures import words
from seq2see.config import Tree
from seq2see.data.pairs import Pair
from seq2see.errors import ConfigError
from seq2see.recipe.choose import COPIES, choose
from seq2see.recipe.draft import draft
from seq2see.recipe.sections import Recipe
from seq2see.recipe.survey import Survey, survey

PHONES = [a + b for a in "AEIOUBDFGK" for b in ("", "H", "R", "Y")]
ENGLISH = "the young woman children standing running behind garden yellow bicycle street people"
GERMAN = "die junge frau kinder stehend laufend hinter garten gelbes fahrrad strasse menschen"


def pronunciations(count: int = 300) -> list[Pair]:
    rng = random.Random(1)
    return [Pair(word, " ".join(rng.choices(PHONES, k=len(word)))) for word in words(count)]


def sentences(count: int = 300) -> list[Pair]:
    rng = random.Random(2)

    def one(words: str) -> str:
        return " ".join(rng.choices(words.split(), k=rng.randint(6, 12))) + " ."

    return [Pair(one(ENGLISH), one(GERMAN)) for _ in range(count)]


def inflections(count: int = 300) -> list[Pair]:
    tags = [("V", "PST"), ("V", "PRS", "3"), ("N", "PL")]
    return [
        Pair(word, word + ending, tags[i % 3])
        for i, (word, ending) in enumerate(
            zip(words(count), ["ed", "s", "es"] * count, strict=False)
        )
    ]


def hangul(count: int = 300) -> list[Pair]:
    rng = random.Random(3)
    syllables = [chr(code) for code in range(ord("가"), ord("힣") + 1, 53)]
    return [Pair(w, "".join(rng.choices(syllables, k=3))) for w in words(count)]


TASKS = {
    "pronunciations": pronunciations(),
    "sentences": sentences(),
    "inflections": inflections(),
    "hangul": hangul(),
}
SURVEYS: dict[str, Survey] = {name: survey(pairs) for name, pairs in TASKS.items()}


def chosen(task: str, *assignments: str) -> Recipe:
    return choose(draft(None, assignments), SURVEYS[task])[0]


def test_phones_are_words() -> None:
    data = chosen("pronunciations").data
    assert (data.source, data.target) == ("characters", "words")
    assert (data.joint, data.compose, data.copies) == (False, False, 0)


def test_sentences_are_joint_subwords() -> None:
    data = chosen("sentences").data
    assert (data.source, data.target, data.joint) == ("bpe", "bpe", True)
    assert data.vocabulary >= 1000
    assert data.copies == 0


def test_inflections_are_joint_characters_that_are_copied() -> None:
    data = chosen("inflections").data
    assert (data.source, data.target, data.joint) == ("characters", "characters", True)
    assert data.copies == COPIES
    assert SURVEYS["inflections"].features == ("3", "N", "PL", "PRS", "PST", "V")


def test_hangul_is_decomposed() -> None:
    data = chosen("hangul").data
    assert data.compose is True
    assert (data.source, data.target, data.joint) == ("characters", "characters", False)


def test_other_scripts_are_left_as_they_are() -> None:
    assert not any(chosen(task).data.compose for task in TASKS if task != "hangul")


def test_hangul_that_would_not_come_back_is_left_as_it_is() -> None:
    odd = [*hangul(), Pair("angstrom", "\N{ANGSTROM SIGN}가")]  # composing gives another character
    assert choose({}, survey(odd))[0].data.compose is False


@pytest.mark.parametrize("task", TASKS)
def test_nothing_is_left_to_be_chosen(task: str) -> None:
    recipe = chosen(task)
    assert "auto" not in (recipe.data.source, recipe.data.target)
    assert isinstance(recipe.data.joint, bool)
    assert isinstance(recipe.data.compose, bool)
    assert recipe.data.copies >= 0
    assert recipe.train.batch_tokens > 0
    assert recipe.train.rate > 0
    assert recipe.train.steps > 0
    assert recipe.model.tied == ("all" if recipe.data.joint else "decoder")


@pytest.mark.parametrize("task", TASKS)
def test_every_choice_has_a_reason(task: str) -> None:
    recipe, reasons = choose({}, SURVEYS[task])
    tree = recipe.as_tree()
    for setting, value, why in reasons:
        section, name = setting.split(".")
        assert tree[section][name] == value
        assert why
    assert {"data.source", "data.target", "model.kind", "train.rate"} <= {r[0] for r in reasons}


@pytest.mark.parametrize(
    ("minutes", "kind", "width", "layers"),
    [
        (0, "bilstm+additive", 384, 1),
        (4, "bilstm+additive", 256, 1),
        (20, "bilstm+additive", 384, 1),
        (0, "transformer", 192, 4),
        (60, "transformer", 192, 4),
        (4, "transformer", 128, 3),
    ],
)
def test_few_minutes_on_many_words_make_a_smaller_network(
    minutes: int, kind: str, width: int, layers: int
) -> None:
    many = replace(SURVEYS["pronunciations"], pairs=100_000)
    recipe, _ = choose(draft(None, [f"model.kind={kind}", f"train.minutes={minutes}"]), many)
    model = recipe.model
    size = model.d_model if model.kind == "transformer" else model.d_hidden
    assert (size, model.encoder_layers) == (width, layers)


@pytest.mark.parametrize(
    ("pairs", "minutes", "dropout"),
    [(29_000, 0, 0.3), (29_000, 5, 0.1), (29_000, 10, 0.2), (29_000, 60, 0.3), (2_000, 5, 0.3)],
)
def test_who_sees_a_sentence_a_few_times_drops_less_of_it(
    pairs: int, minutes: int, dropout: float
) -> None:
    some = replace(SURVEYS["sentences"], pairs=pairs)
    recipe, reasons = choose(draft(None, [f"train.minutes={minutes}"]), some)
    assert recipe.model.dropout == dropout
    reason = next(why for setting, _, why in reasons if setting == "model.dropout")
    assert reason == f"{pairs:,} pairs of sentences" + f" and {minutes} minutes" * bool(minutes)


def test_a_time_budget_needs_no_steps() -> None:
    recipe, reasons = choose(draft(None, ["train.minutes=3"]), SURVEYS["sentences"])
    assert recipe.train.minutes == 3
    assert "train.steps" not in {setting for setting, _, _ in reasons}


def test_long_words_do_not_get_more_updates_without_end() -> None:
    long = [Pair(5 * one.source, 5 * one.target, one.features) for one in TASKS["inflections"]]
    steps, reasons = {}, {}
    for name, pairs in (("short", TASKS["inflections"]), ("long", long)):
        recipe, said = choose({}, replace(survey(pairs), pairs=7_000))
        steps[name] = recipe.train.steps
        reasons[name] = next(why for setting, _, why in said if setting == "train.steps")
    assert 200 < steps["short"] < steps["long"] == 2_700
    assert reasons["short"].startswith("40 passes over 7,000 pairs")
    assert 1 < int(reasons["long"].split()[0]) < 40


def test_small_data_want_small_models() -> None:
    few, many = (choose({}, replace(SURVEYS["sentences"], pairs=n))[0] for n in (1_000, 5_000_000))
    assert few.data.vocabulary < many.data.vocabulary
    assert few.model.dropout >= many.model.dropout


WRITTEN = [
    ("data.source", "bytes"), ("data.target", "unigram"), ("data.joint", "true"),
    ("data.joint", "false"), ("data.compose", "true"), ("data.copies", "3"), ("data.copies", "0"),
    ("data.vocabulary", "123"), ("model.dropout", "0.25"), ("model.tied", '"none"'),
    ("model.encoder_layers", "5"), ("model.decoder_layers", "4"), ("train.batch_tokens", "77"),
    ("train.rate", "0.5"), ("train.steps", "9"), ("train.warmup", "0"), ("train.clip", "0.0"),
    ("train.patience", "3"), ("decode.beam", "2"), ("seed", "9"),
]  # fmt: skip


def value_of(recipe: Recipe, setting: str) -> Any:
    found: Any = recipe.as_tree()
    for name in setting.split("."):
        found = found[name]
    return found


@pytest.mark.parametrize("task", ["sentences", "inflections"])
@pytest.mark.parametrize(("setting", "text"), WRITTEN)
def test_what_is_written_wins(task: str, setting: str, text: str) -> None:
    wanted: Tree = draft(None, [f"{setting}={text}"])
    extra = ["data.joint=false"] if setting in ("data.source", "data.target") else []
    recipe = chosen(task, f"{setting}={text}", *extra)
    found: Any = wanted
    for name in setting.split("."):
        found = found[name]
    assert value_of(recipe, setting) == found


@pytest.mark.parametrize("text", ["0", "0.0"])
def test_no_dropout_stays_no_dropout(text: str) -> None:
    assert chosen("inflections", f"model.dropout={text}").model.dropout == 0.0


@pytest.mark.parametrize(
    "kind", ["transformer", "bigru+additive", "lstm+dot", "bilstm+general", "rnn"]
)
@pytest.mark.parametrize("task", TASKS)
def test_a_written_architecture_wins(task: str, kind: str) -> None:
    table = draft(None, [f"model.kind={kind}"])["model"]
    model = vars(chosen(task, f"model.kind={kind}").model)
    assert {name: model[name] for name in table} == table


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("no", False), ("auto", True)])
def test_yes_no_and_auto(text: str, value: bool) -> None:
    assert chosen("inflections", f"data.joint={text}").data.joint is value
    assert chosen("hangul", f"data.compose={text}").data.compose is value


def test_auto_kinds_are_chosen() -> None:
    assert chosen("sentences", "data.source=auto", "data.target=auto").data.source == "bpe"


def test_copies_need_a_joint_vocabulary() -> None:
    assert chosen("inflections", "data.joint=no").data.copies == 0


def test_copies_are_not_chosen_for_separate_vocabularies() -> None:
    assert chosen("inflections", "data.joint=false").data.copies == 0


def test_one_vocabulary_cannot_cut_two_ways() -> None:
    with pytest.raises(ConfigError, match=r"data\.joint"):
        chosen("inflections", "data.joint=true", "data.target=words")


@pytest.mark.parametrize(
    ("assignment", "where"),
    [
        ("data.soruce=words", "data.soruce"),
        ("data.source=word", "data.source"),
        ("data.vocabulary=many", "data.vocabulary"),
        ("model.d_modell=3", "model.d_modell"),
        ("model.dropout=high", "model.dropout"),
        ("model.tied=some", "model.tied"),
        ("train.step=3", "train.step"),
        ("train.steps=many", "train.steps"),
        ("train.schedule=linear", "train.schedule"),
        ("train.minutes=long", "train.minutes"),
        ("decode.beem=3", "decode.beem"),
        ("decode.beam=wide", "decode.beam"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(assignment: str, where: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen("sentences", "model.kind=transformer", assignment)
    assert caught.value.where == where


@pytest.mark.parametrize(
    "assignment", ["train.batch_tokens=many", "train.accumulate=two", "seed=x"]
)
def test_a_text_where_a_number_belongs_is_named(assignment: str) -> None:
    with pytest.raises(ConfigError) as caught:
        chosen("sentences", assignment)
    assert caught.value.where == assignment.partition("=")[0]


def test_the_draft_is_left_alone() -> None:
    tree = draft(None, ["model.dropout=0.3"])
    before = {k: dict(v) for k, v in tree.items()}
    choose(tree, SURVEYS["sentences"])
    assert tree == before


@pytest.mark.parametrize("task", TASKS)
def test_a_resolved_recipe_is_read_back_and_chosen_again_the_same(task: str) -> None:
    recipe = chosen(task)
    assert Recipe.from_tree(recipe.as_tree()) == recipe
    with pytest.raises(ConfigError, match="modell"):
        Recipe.from_tree({**recipe.as_tree(), "modell": {}})
    again, reasons = choose(recipe.as_tree(), SURVEYS[task])
    assert (again, reasons) == (recipe, [])
