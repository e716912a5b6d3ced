"""Text to ids and back: exact round trips, unknown pieces, marks that no text can spell."""

from __future__ import annotations

import json
import unicodedata
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seq2see.data.tokenizers import (
    END,
    PAD,
    SPECIALS,
    START,
    UNKNOWN,
    Encoded,
    Layout,
    Tokenizer,
    TokenKind,
    train_tokenizer,
)
from seq2see.errors import BundleError

KINDS: tuple[TokenKind, ...] = ("characters", "words", "bpe", "unigram", "bytes")
LEARNED: tuple[TokenKind, ...] = ("bpe", "unigram")

CORPUS = (
    "the cat sat on the mat .",
    "a dog, a cat; and the hen!",
    "<pad> and <s> and </s> are marks",
    "they sat (all of them) on 3 mats",
)
ALPHABET = "".join(sorted(set("".join(CORPUS))))
WORDS = sorted({word for text in CORPUS for word in text.split()})
JAMO = [chr(code) for code in range(ord("가"), ord("힣") + 1, 97)]

syllables = st.text(st.characters(min_codepoint=ord("가"), max_codepoint=ord("힣")), max_size=12)


@cache
def learned(kind: TokenKind, layout: Layout | None = None) -> Tokenizer:
    return train_tokenizer(kind, CORPUS * 5, 60, layout)


@cache
def korean() -> Tokenizer:
    return train_tokenizer("characters", [chr(c) for c in range(ord("가"), ord("힣") + 1)], 0,
                           Layout(compose=True))  # fmt: skip


def ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode([text])[0].ids


def round_trip(tokenizer: Tokenizer, text: str) -> str:
    return tokenizer.decode(ids(tokenizer, text))


@given(st.text(ALPHABET, max_size=30))
def test_characters_come_back(text: str) -> None:
    assert round_trip(learned("characters"), text) == text


@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_words_come_back(words: list[str]) -> None:
    text = " ".join(words)
    assert round_trip(learned("words"), text) == text


@pytest.mark.parametrize("kind", LEARNED)
@given(text=st.text(ALPHABET, max_size=30).filter(lambda text: not text.startswith(" ")))
def test_subwords_come_back(kind: TokenKind, text: str) -> None:
    assert round_trip(learned(kind), text) == text


@pytest.mark.parametrize("kind", LEARNED)
def test_subwords_keep_a_leading_blank(kind: TokenKind) -> None:
    assert round_trip(learned(kind), " a cat") == " a cat"


@pytest.mark.parametrize("kind", LEARNED)
def test_a_lower_block_in_the_text_comes_back_as_a_blank(kind: TokenKind) -> None:
    # It is the sign the library writes for a blank; characters and bytes tell the two apart.
    tokenizer = train_tokenizer(kind, ["a▁b a b"] * 5, 60)
    assert round_trip(tokenizer, "a▁b") == "a b"


@given(st.text(max_size=30))
def test_bytes_bring_back_any_text(text: str) -> None:
    found = learned("bytes").encode([text])[0]
    assert found.unknown == ()
    assert len(found.ids) == len(text.encode("utf-8"))
    assert learned("bytes").decode(found.ids) == text


@given(syllables)
def test_hangul_falls_apart_inside_and_is_whole_outside(text: str) -> None:
    letters = unicodedata.normalize("NFD", text)
    assert len(ids(korean(), text)) == len(letters)
    assert ids(korean(), text) == ids(korean(), letters)
    assert round_trip(korean(), text) == text
    assert round_trip(korean(), letters) == text


def test_hangul_needs_few_letters() -> None:
    assert korean().size < 100
    assert train_tokenizer("characters", JAMO, 0).size > 100


def test_without_compose_text_is_left_as_it_is() -> None:
    for text in ("한", unicodedata.normalize("NFD", "한")):
        tokenizer = train_tokenizer("characters", [text], 0)
        assert round_trip(tokenizer, text) == text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mark", ["<pad>", "<s>", "</s>", "<copy0>", "[V]"])
def test_text_that_spells_a_mark_stays_text(kind: TokenKind, mark: str) -> None:
    layout = Layout(copies=2, features=("V",))
    tokenizer = train_tokenizer(kind, [f"x {mark} y", f"{mark} x"] * 4, 60, layout)
    for text in (mark, f"x {mark} y", f"{mark} {mark}"):
        found = ids(tokenizer, text)
        assert min(found) >= layout.first_piece
        assert tokenizer.decode(found) == text


@pytest.mark.parametrize(
    "kind",
    [
        "characters",
        "bytes",
        *LEARNED,
    ],
)  # fmt: skip
def test_text_that_spells_the_unknown_mark_stays_text(kind: TokenKind) -> None:
    tokenizer = train_tokenizer(kind, ["x <unk> y"] * 4, 60)
    assert round_trip(tokenizer, "x <unk> y") == "x <unk> y"


def test_a_word_that_spells_the_unknown_mark_can_be_copied() -> None:
    tokenizer = train_tokenizer("words", ["x <unk> y"], 0, Layout(copies=1))
    assert tokenizer.encode(["x <unk>"])[0].unknown == ("<unk>",)


@pytest.mark.parametrize("kind", KINDS)
def test_marks_are_left_out_of_text(kind: TokenKind) -> None:
    layout = Layout(copies=1, features=("V",))
    tokenizer = learned(kind, layout)
    inner = ids(tokenizer, "the cat")
    assert tokenizer.decode([START, *inner, END, PAD, PAD]) == "the cat"


@pytest.mark.parametrize(
    ("kind", "text", "unknown"),
    [
        ("characters", "aΩcЖΩ", ("Ω", "Ж", "Ω")),
        ("words", "the Ωmega  cat Ж", ("Ωmega", "Ж")),
        ("bpe", "the Ωcat Ж", ("Ω", "Ж")),
        ("unigram", "the Ωcat ЖΩ", ("Ω", "ЖΩ")),
        ("bytes", "aΩЖ", ()),
    ],
)
def test_unknown_pieces_are_kept_in_order(
    kind: TokenKind, text: str, unknown: tuple[str, ...]
) -> None:
    found = learned(kind).encode([text])[0]
    assert found.unknown == unknown
    assert found.ids.count(UNKNOWN) == len(unknown)


def test_unknown_pieces_of_decomposed_text_are_letters() -> None:
    tokenizer = train_tokenizer("characters", ["가"], 0, Layout(compose=True))
    assert tokenizer.encode(["각"])[0].unknown == (unicodedata.normalize("NFD", "각")[-1],)


def test_an_unknown_piece_is_shown_as_a_replacement_character() -> None:
    assert round_trip(learned("characters"), "aΩt") == "a\N{REPLACEMENT CHARACTER}t"
    assert round_trip(learned("words"), "the Ω") == "the \N{REPLACEMENT CHARACTER}"


def test_copy_marks_bring_unknown_pieces_through() -> None:
    tokenizer = learned("characters", Layout(copies=2))
    a = ids(tokenizer, "a")[0]
    first, second = len(SPECIALS), len(SPECIALS) + 1
    assert tokenizer.decode([second, a, first], ["Ω", "Ж"]) == "ЖaΩ"
    assert tokenizer.decode([first, second], ["Ω"]) == "Ω\N{REPLACEMENT CHARACTER}"


def test_ids_run_marks_copies_features_pieces() -> None:
    layout = Layout(copies=2, features=("N", "PL"))
    tokenizer = train_tokenizer("characters", ["ab"], 0, layout)
    assert layout.first_piece == 8
    shown = [tokenizer.piece(i) for i in range(tokenizer.size)]
    assert shown == [*SPECIALS, "<copy0>", "<copy1>", "[N]", "[PL]", "<unk>", "a", "b"]
    assert [tokenizer.feature(name) for name in ("N", "PL", "SG")] == [6, 7, UNKNOWN]
    assert ids(tokenizer, "ab") == [9, 10]


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_gives_no_ids(kind: TokenKind) -> None:
    assert learned(kind).encode([""]) == [Encoded([])]
    assert learned(kind).decode([]) == ""
    assert learned(kind).encode([]) == []


@pytest.mark.parametrize("kind", LEARNED)
def test_the_size_of_learned_vocabularies_is_bounded(kind: TokenKind) -> None:
    assert learned(kind).core.get_vocab_size() <= 60


@pytest.mark.parametrize("kind", LEARNED)
def test_punctuation_is_a_piece_of_its_own(kind: TokenKind) -> None:
    tokenizer = train_tokenizer(kind, ["the end.", "the end .", "end, end"] * 20, 60)
    marks = {tokenizer.piece(i).strip("▁") for i in ids(tokenizer, "end, the end. .")}
    assert {".", ","} <= marks
    assert all(len(mark) == 1 or mark.isalpha() for mark in marks if mark)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "unigram"])
def test_training_is_deterministic(kind: TokenKind) -> None:
    again = train_tokenizer(kind, CORPUS * 5, 60)
    assert again.to_json() == learned(kind).to_json()


@pytest.mark.parametrize("kind", KINDS)
def test_json_keeps_everything(kind: TokenKind) -> None:
    layout = Layout(copies=3, features=("N", "Ä"), compose=True)
    tokenizer = learned(kind, layout)
    again = Tokenizer.from_json(tokenizer.to_json(), "x")
    assert (again.kind, again.layout, again.size) == (kind, layout, tokenizer.size)
    for text in (*CORPUS, "Ω unknown é", ""):
        assert again.encode([text]) == tokenizer.encode([text])
        assert again.decode(ids(again, text), ["Ω"]) == round_trip(tokenizer, text)
    pieces = [[each.piece(i) for i in range(each.size)] for each in (again, tokenizer)]
    assert pieces[0] == pieces[1]


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_json_is_refused_by_name(kind: TokenKind) -> None:
    whole = learned(kind).to_json()
    for end in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        with pytest.raises(BundleError, match="not a tokenizer") as caught:
            Tokenizer.from_json(whole[:end], "m/source.json")
        assert caught.value.where == "m/source.json"
        assert caught.value.mend


def test_foreign_json_is_refused() -> None:
    record = json.loads(learned("characters").to_json())
    foreign = [[], 3, None, {}, record["core"], {**record, "core": {}}]
    foreign += [{k: v for k, v in record.items() if k != gone} for gone in record]
    for each in foreign:
        with pytest.raises(BundleError):
            Tokenizer.from_json(json.dumps(each), "m/source.json")


@pytest.mark.parametrize(
    "change", [{"kind": "syllables"}, {"copies": "8"}, {"copies": -1}, {"features": "NV"}]
)
def test_tampered_json_is_refused(change: dict[str, object]) -> None:
    record = json.loads(learned("characters").to_json())
    with pytest.raises(BundleError):
        Tokenizer.from_json(json.dumps(record | change), "m/source.json")
