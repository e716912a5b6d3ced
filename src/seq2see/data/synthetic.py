"""Small tasks made by a seed, whose links between source and target are known exactly."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice, product
from math import exp, log
from random import Random
from string import ascii_lowercase
from typing import Any, Literal

import numpy as np

from seq2see.config import nearest
from seq2see.data.links import Link
from seq2see.data.rows import Pair
from seq2see.errors import ConfigError

Range = tuple[int, int]
"""The least and the greatest number that may be drawn."""


@dataclass(frozen=True)
class Linked:
    """A pair, and which source pieces decide which target piece.

    Pieces are counted from 0 as the task is cut: its words or its characters. Features and end
    marks are not counted.

    Args:
        pair: source and target.
        links: the source pieces of a target piece are those it can be told from, and no others; a
            piece that is always the same, as the comma in a date, has none.
    """

    pair: Pair
    links: tuple[Link, ...]


Make = Callable[..., Linked]


@dataclass(frozen=True)
class Task:
    """A task, and how its texts are cut.

    Args:
        make: draws one pair from a generator of random numbers; its other arguments are sizes.
        pieces: what the links count.
    """

    make: Make
    pieces: Literal["words", "characters"]


TASKS: dict[str, Task] = {}
"""Every task by name."""


def draw(task: str, count: int, seed: int = 1, **sizes: Any) -> list[Linked]:
    """Draws pairs of a task; the same arguments give the same pairs, on every machine.

    Each pair is drawn anew, so that small sizes repeat themselves. The first pairs of a longer
    drawing are those of a shorter one.

    Args:
        task: a name out of `TASKS`.
        count: how many pairs.
        seed: where all randomness starts.
        sizes: changes to the task's own sizes, by the names of its function's arguments.

    Raises:
        ConfigError: there is no such task or size (the nearest name is given), or a size is not
            possible.
    """
    if task not in TASKS:
        raise ConfigError("no task of that name", where=task, mend=nearest(task, TASKS))
    make = TASKS[task].make
    names = list(inspect.signature(make).parameters)[1:]
    for name in sizes:
        if name not in names:
            raise ConfigError("unknown size", where=f"{task}, {name}", mend=nearest(name, names))
    rng = Random(f"{task} {seed}")
    made = (make(rng, **sizes) for _ in range(count))
    return [replace(one, pair=replace(one.pair, line=i)) for i, one in enumerate(made, 1)]


def _task(pieces: Literal["words", "characters"]) -> Callable[[Make], Make]:
    def listed(make: Make) -> Make:
        TASKS[make.__name__] = Task(make, pieces)
        return make

    return listed


@_task("words")
def copy(rng: Random, length: Range = (2, 12), vocabulary: int = 26, gap: Range = (0, 0)) -> Linked:
    """Says the same once more: `c a b` becomes `c a b`.

    Args:
        rng: draws.
        length: words that are copied.
        vocabulary: different words.
        gap: fillers (`.`) that stand in the source after what is to be copied, and are not copied.
    """
    words = rng.choices(_names(vocabulary), k=_number(rng, "length", length))
    return _arranged(words, range(len(words)), _number(rng, "gap", gap))


@_task("words")
def reverse(
    rng: Random, length: Range = (2, 12), vocabulary: int = 26, gap: Range = (0, 0)
) -> Linked:
    """Says it from the end: `c a b` becomes `b a c`; the sizes are those of `copy`."""
    words = rng.choices(_names(vocabulary), k=_number(rng, "length", length))
    return _arranged(words, range(len(words))[::-1], _number(rng, "gap", gap))


@_task("words")
def sort(rng: Random, length: Range = (2, 12), vocabulary: int = 26, gap: Range = (0, 0)) -> Linked:
    """Says it in the order of the vocabulary: `c a b` becomes `a b c`.

    No word stands twice, so that each has one place it came from. The sizes are those of `copy`.

    Raises:
        ConfigError: a source can be longer than there are words.
    """
    names = _names(vocabulary)
    if length[1] > vocabulary:
        raise ConfigError(
            f"{length[1]} different words out of {vocabulary}",
            where="sort, vocabulary",
            mend="Raise the vocabulary, or lower the greatest length",
        )
    picked = rng.sample(range(vocabulary), _number(rng, "length", length))
    order = sorted(range(len(picked)), key=picked.__getitem__)
    return _arranged([names[i] for i in picked], order, _number(rng, "gap", gap))


@_task("words")
def recall(
    rng: Random,
    pairs: Range = (1, 4),
    keys: int = 26,
    values: int = 10,
    gap: Range = (0, 0),
    joined: bool = False,
) -> Linked:
    """Asks for the value of a key: `d 3 a 7 . . ? a` becomes `7`.

    The answer is linked to the value alone. From there to the question's key it is `gap` + 2 words
    where the pair stored last is asked for, and 2 more for each pair between (1 where joined).

    Args:
        rng: draws.
        pairs: keys that are stored, each different, with a value each. Twice as many are half as
            likely: where most sources hold many, looking up is hardly learned.
        keys: different keys.
        values: different values.
        gap: fillers (`.`) between the last pair and the question.
        joined: writes a pair as one word, `d=3 a=7 ? a`. Apart, key and value have to be brought
            together before one comparison can find them, which small networks may never learn.

    Raises:
        ConfigError: more pairs can be drawn than there are keys.
    """
    _check_least("values", values)
    names, count = _names(keys), _number(rng, "pairs", pairs, doublings=True)
    if pairs[1] > keys:
        raise ConfigError(
            f"{pairs[1]} different keys out of {keys}",
            where="recall, keys",
            mend="Raise the number of keys, or lower the greatest number of pairs",
        )
    chosen = rng.sample(names, count)
    stored = [str(rng.randrange(values)) for _ in chosen]
    asked = rng.randrange(count)
    mark, place = ("=", asked) if joined else (" ", 2 * asked + 1)
    facts = [key + mark + value for key, value in zip(chosen, stored, strict=True)]
    source = [*facts, *["."] * _number(rng, "gap", gap), "?", chosen[asked]]
    return Linked(Pair(" ".join(source), stored[asked]), ((place, 0),))


@_task("characters")
def adding(rng: Random, digits: Range = (1, 4), base: int = 10) -> Linked:
    """Adds two numbers: `58+67` becomes `125`.

    A digit is linked to the digits of its own place, and to those of the places below it as far as
    they decide whether one is carried: down to the first whose digits do not add up to `base` - 1.

    Args:
        rng: draws.
        digits: of each number.
        base: 2 for binary, up to 10 for decimal numbers.

    Raises:
        ConfigError: a base that is not from 2 to 10.
    """
    if not 2 <= base <= 10:
        raise ConfigError(f"found {base}", expected="a base from 2 to 10", where="adding, base")
    sizes = [_number(rng, "digits", digits) for _ in range(2)]
    terms = [rng.randrange(base ** (n - 1) if n > 1 else 0, base**n) for n in sizes]
    first, second = (np.base_repr(term, base) for term in terms)
    source, target = f"{first}+{second}", np.base_repr(sum(terms), base)
    spans = ((len(first), len(first)), (len(source), len(second)))  # where each ends, its size
    # The characters of each place, counted from the last digit.
    places = [
        [end - place for end, size in spans if place <= size] for place in range(1, len(target) + 1)
    ]
    sums = [sum(int(source[i]) for i in here) for here in places]
    links = []
    for place in range(len(target)):
        below = place - 1
        while below > 0 and sums[below] == base - 1:
            below -= 1
        deciding = places[max(below, 0) : place + 1]
        links += [(i, len(target) - 1 - place) for here in deciding for i in here]
    return Linked(Pair(source, target), tuple(sorted(links)))


LAYOUTS = {"long": "d N Y", "american": "N d, Y", "points": "d.m.Y", "slashes": "D/M/Y"}
"""How a date can be written: d and m without, D and M with a leading zero, N the month's name."""

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@_task("characters")
def dates(rng: Random, layouts: Sequence[str] = ("long",), years: Range = (1900, 2099)) -> Linked:
    """Writes a date in another way: `2024-03-05` becomes `5 March 2024`.

    A digit is linked to itself, and each letter of a month's name to both digits of the month.

    Args:
        rng: draws.
        layouts: names out of `LAYOUTS`; where there are several, one is drawn for each pair, and
            the pair carries its name as a feature.
        years: the first and the last one; four digits each.

    Raises:
        ConfigError: there is no such layout (the nearest is named), or a year has not four digits.
    """
    for name in layouts:
        if name not in LAYOUTS:
            raise ConfigError("no such layout", where=f"dates, {name}", mend=nearest(name, LAYOUTS))
    if not 1000 <= years[0] <= years[1] <= 9999:
        raise ConfigError(f"found {years}", expected="ordered years of four digits", where="years")
    days = date(years[0], 1, 1).toordinal(), date(years[1], 12, 31).toordinal()
    layout = rng.choice(list(layouts))
    source = date.fromordinal(rng.randint(*days)).isoformat()
    letters = [letter for sign in LAYOUTS[layout] for letter in _written(sign, source)]
    links = sorted((i, place) for place, (_, linked) in enumerate(letters) for i in linked)
    target = "".join(letter for letter, _ in letters)
    return Linked(Pair(source, target, (layout,) * (len(layouts) > 1)), tuple(links))


def _written(sign: str, source: str) -> list[tuple[str, tuple[int, ...]]]:
    """Returns the characters that a sign of a layout stands for, and what each is linked to."""
    spans = {"Y": (0, 4), "M": (5, 7), "D": (8, 10), "m": (5, 7), "d": (8, 10)}
    if sign == "N":
        return [(letter, (5, 6)) for letter in _MONTHS[int(source[5:7]) - 1]]
    if sign not in spans:
        return [(sign, ())]
    start, end = spans[sign]
    start += sign.islower() and source[start] == "0"
    return [(source[i], (i,)) for i in range(start, end)]


def _arranged(words: Sequence[str], order: Sequence[int], gap: int) -> Linked:
    source, target = [*words, *["."] * gap], [words[i] for i in order]
    links = sorted((i, place) for place, i in enumerate(order))
    return Linked(Pair(" ".join(source), " ".join(target)), tuple(links))


def _names(count: int) -> list[str]:
    """Lists words of one length, in the order of the alphabet."""
    _check_least("vocabulary", count)
    width = next(n for n in range(1, count + 1) if len(ascii_lowercase) ** n >= count)
    return ["".join(word) for word in islice(product(ascii_lowercase, repeat=width), count)]


def _number(rng: Random, name: str, bounds: Range, *, doublings: bool = False) -> int:
    low, high = bounds
    least = int(name != "gap")
    if not least <= low <= high:
        raise ConfigError(
            f"found {bounds}", expected=f"the least and the greatest, from {least} on", where=name
        )
    return round(exp(rng.uniform(log(low), log(high)))) if doublings else rng.randint(low, high)


def _check_least(name: str, value: int) -> None:
    if value < 1:
        raise ConfigError(f"found {value}", expected="1 or more", where=name)
