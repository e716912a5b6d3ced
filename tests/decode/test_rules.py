from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seq2see.data.tokenizers import END, START, Layout, train_tokenizer
from seq2see.decode.request import Request, lay
from seq2see.decode.rules import Rules, Unwritable, block_repeats

CPU = torch.device("cpu")


def allowed(logits: torch.Tensor) -> list[list[int]]:
    return [[i for i, x in enumerate(row) if x > -torch.inf] for row in logits.tolist()]


def test_what_is_no_text_is_found_in_the_vocabulary() -> None:
    layout = Layout(copies=2, features=("V", "PST"))
    tokenizer = train_tokenizer("characters", ["ab"], 0, layout)
    unwritable = Unwritable.of(tokenizer)
    assert unwritable.marks == 2
    shown = {tokenizer.piece(i) for i in unwritable.never}
    assert shown == {"<pad>", "<unk>", "<s>", "[V]", "[PST]"}
    assert len(unwritable.never) == 6  # the unknown piece stands twice


def test_copy_marks_without_meaning_are_forbidden() -> None:
    group = lay([Request([3], 9, copies=n) for n in (0, 1, 3)], CPU)
    logits = torch.zeros(3, 9)
    rules = Rules(group, Unwritable(marks=3), no_repeat=0)
    rules.apply(logits, torch.arange(3), torch.full((3, 1), START))
    text = [END, 7, 8]
    assert allowed(logits) == [text, [END, 4, 7, 8], [END, 4, 5, 6, 7, 8]]


def test_a_prefix_is_forced_row_by_row_and_keeps_its_logit() -> None:
    group = lay([Request([3], 9, prefix=p) for p in ([7, 1], [8], [])], CPU)
    rules = Rules(group, Unwritable(), no_repeat=0)
    for step, expected in enumerate(
        [[[7], [8], [3, 4, 5, 6, 7, 8]], [[1]] + [[3, 4, 5, 6, 7, 8]] * 2]
    ):
        logits = torch.arange(27.0).view(3, 9)
        rules.apply(logits, torch.arange(3), torch.full((3, step + 1), START))
        assert allowed(logits) == expected
        assert logits[0, expected[0][0]] == expected[0][0]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(3, 6), max_size=12), st.integers(1, 4))
def test_exactly_the_tokens_that_would_repeat_an_ngram_are_blocked(ids: list[int], n: int) -> None:
    logits = torch.zeros(1, 8)
    rules = Rules(lay([Request([3], 99)], CPU), Unwritable(never=()), no_repeat=n)
    rules.apply(logits, torch.zeros(1, dtype=torch.long), torch.tensor([[START, *ids]]))
    seen = {tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)}
    repeats = {x for x in range(8) if len(ids) >= n - 1 and (*ids[len(ids) - n + 1 :], x) in seen}
    assert set(range(8)) - set(allowed(logits)[0]) == repeats


def test_rows_are_blocked_by_their_own_ngrams() -> None:
    logits = torch.zeros(2, 8)
    block_repeats(logits, torch.tensor([[5, 6, 5], [6, 5, 7]]), 2)
    assert allowed(logits) == [[0, 1, 2, 3, 4, 5, 7], list(range(8))]
