"""Tasks with known links: every target piece can be told from the source pieces linked to it."""

from __future__ import annotations

import re
from calendar import month_name
from collections import defaultdict
from typing import Any

import pytest

from seq2see.data.synthetic import LAYOUTS, TASKS, Linked, draw
from seq2see.errors import ConfigError

EACH = pytest.mark.parametrize("task", TASKS)


def pieces(task: str, text: str) -> list[str]:
    return list(text) if TASKS[task].pieces == "characters" else text.split(" ")


def linked(task: str, one: Linked) -> list[tuple[str, list[int]]]:
    """Each target piece with the places of the source pieces linked to it."""
    places = defaultdict(list)
    for source, target in one.links:
        assert 0 <= source < len(pieces(task, one.pair.source))
        places[target].append(source)
    target = pieces(task, one.pair.target)
    assert all(place < len(target) for place in places)
    return [(piece, places[i]) for i, piece in enumerate(target)]


@EACH
def test_the_same_seed_draws_the_same_pairs(task: str) -> None:
    found = draw(task, 30, seed=3)
    assert found == draw(task, 30, seed=3)
    assert found[:10] == draw(task, 10, seed=3)
    assert [one.pair.line for one in found] == list(range(1, 31))
    assert [one.pair.source for one in found] != [one.pair.source for one in draw(task, 30, seed=4)]


@pytest.mark.parametrize("task", ["copy", "reverse", "sort"])
@pytest.mark.parametrize("vocabulary", [12, 40])
def test_an_arranged_word_is_the_one_it_is_linked_to(task: str, vocabulary: int) -> None:
    order = {"copy": list, "reverse": lambda words: words[::-1], "sort": sorted}[task]
    for one in draw(task, 50, vocabulary=vocabulary, gap=(0, 3)):
        source = pieces(task, one.pair.source)
        words = [word for word in source if word != "."]
        assert source[len(words) :] == ["."] * (len(source) - len(words))
        assert pieces(task, one.pair.target) == order(words)
        for word, places in linked(task, one):
            assert [source[i] for i in places] == [word]


def test_recall_links_the_value_behind_the_key_that_is_asked() -> None:
    for one in draw("recall", 100, pairs=(1, 5), gap=(5, 80)):
        source = pieces("recall", one.pair.source)
        [(value, [place])] = linked("recall", one)
        assert source[place] == value
        assert source[place - 1] == source[-1]
        assert source[-2] == "?"
        assert source.index(source[-1]) == place - 1
        assert 5 <= source.count(".") <= 80
    [far] = draw("recall", 1, pairs=(1, 1), gap=(80, 80))
    words = pieces("recall", far.pair.source)
    assert len(words) - 1 - far.links[0][0] == 82


def test_recall_can_write_a_fact_as_one_word() -> None:
    apart, joined = (draw("recall", 50, pairs=(1, 5), gap=(0, 3), joined=j) for j in (False, True))
    for two, one in zip(apart, joined, strict=True):
        source = one.pair.source.split()
        assert source[-2:] == ["?", two.pair.source.split()[-1]]
        assert one.pair.source.replace("=", " ") == two.pair.source
        [(place, target)] = one.links
        assert target == 0
        assert source[place] == f"{source[-1]}={one.pair.target}"


@pytest.mark.parametrize("base", [2, 3, 10])
def test_a_digit_of_a_sum_is_that_of_the_linked_digits_alone(base: int) -> None:
    for one in draw("adding", 300, base=base, digits=(1, 6)):
        source, target = one.pair.source, one.pair.target
        first, second = source.split("+")
        assert int(first, base) + int(second, base) == int(target, base)
        for i, (digit, places) in enumerate(linked("adding", one)):
            alone = "".join(
                letter if letter == "+" or place in places else "0"
                for place, letter in enumerate(source)
            )
            total = sum(int(term, base) for term in alone.split("+"))
            assert total // base ** (len(target) - 1 - i) % base == int(digit)


def test_a_carry_links_the_places_that_decide_it_and_none_below() -> None:
    every = draw("adding", 100, digits=(3, 3))
    [one] = [one for one in every if one.pair.source == "446+354"]
    below = {i: places for i, (_, places) in enumerate(linked("adding", one))}
    # 4 + 5 = 9 hands on a carry, so that 4 + 3 has to look down to 6 + 4.
    assert below == {0: [0, 1, 2, 4, 5, 6], 1: [1, 2, 5, 6], 2: [2, 6]}


@pytest.mark.parametrize("layouts", [["long"], list(LAYOUTS)])
def test_a_date_is_written_from_its_linked_digits(layouts: list[str]) -> None:
    seen = set()
    for one in draw("dates", 200, layouts=layouts):
        source, target = one.pair.source, one.pair.target
        [layout] = one.pair.features or layouts
        seen.add(layout)
        year, month, day = map(int, source.split("-"))
        name = month_name[month]
        assert (
            target
            == {
                "long": f"{day} {name} {year}",
                "american": f"{name} {day}, {year}",
                "points": f"{day}.{month}.{year}",
                "slashes": f"{day:02}/{month:02}/{year}",
            }[layout]
        )
        for letter, places in linked("dates", one):
            shown = "".join(source[i] for i in places)
            assert letter in (month_name[month] if letter.isalpha() else shown or " ,./")
            assert not letter.isalpha() or places == [5, 6]
        used = {i for i, _ in one.links}
        assert {i for i in range(10) if re.match(r"[1-9]", source[i])} <= used
    assert seen == set(layouts)


@pytest.mark.parametrize(
    ("task", "sizes", "message"),
    [
        ("copi", {}, "Did you mean copy"),
        ("copy", {"lenght": (1, 2)}, "Did you mean length"),
        ("copy", {"length": (3, 2)}, "from 1 on"),
        ("copy", {"vocabulary": 0}, "1 or more"),
        ("sort", {"length": (1, 5), "vocabulary": 4}, "Raise the vocabulary"),
        ("recall", {"pairs": (1, 5), "keys": 4}, "number of keys"),
        ("adding", {"base": 16}, "from 2 to 10"),
        ("dates", {"layouts": ["slash"]}, "Did you mean slashes"),
        ("dates", {"years": (999, 2000)}, "four digits"),
    ],
)
def test_impossible_sizes_are_refused(task: str, sizes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        draw(task, 1, **sizes)
