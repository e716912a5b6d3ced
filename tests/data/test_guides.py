"""Links of a file: read strictly, counted in units, spread over pieces, kept beside their pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixtures import joint, write_tsv
from seq2see.data.batches import Batches, BatchPlan
from seq2see.data.guides import Links, pieces_of_units
from seq2see.data.pairs import Pair
from seq2see.data.store import Store, Tokenizers
from seq2see.data.tokenizers import Layout, TokenKind, train_tokenizer
from seq2see.errors import DataError

PAIRS = [Pair("abc", "cb", ("N",), 1), Pair("ab", "ba", (), 3), Pair("c", "c", (), 4)]


def read(folder: Path, text: str, pairs: list[Pair] = PAIRS) -> Links:
    data = write_tsv(folder / "pairs.tsv", [*pairs[:1], Pair("", ""), *pairs[1:]])
    (folder / "links.txt").write_text(text, encoding="utf-8")
    return Links.read(folder / "links.txt", str(data))


def test_links_follow_their_pairs_into_batches(tmp_path: Path) -> None:
    """The empty pair on line 2 is left out, and its line of links with it."""
    links = read(tmp_path, "2-0 1-1\n7-7\n0-1 1-0 0-1\n\n")
    tokenizers = joint(PAIRS)
    store = Store.write(tmp_path / "store", PAIRS, tokenizers, links.between(tokenizers))
    batch = Batches(store, BatchPlan(99)).collate(np.array([2, 0, 1]))
    assert batch.links is not None
    # row, target, source: a feature stands before the first pair's text.
    assert batch.links.tolist() == [[1, 1, 2], [1, 0, 3], [2, 1, 0], [2, 0, 1]]
    for row, target, source in batch.links.tolist():
        assert batch.wanted[row, target] == batch.source[row, source]
    again = Store.write(tmp_path / "store", PAIRS, tokenizers)
    assert Batches(again, BatchPlan(99)).collate(np.array([0])).links is None


@pytest.mark.parametrize("kind", ["bpe", "unigram", "bytes"])
def test_a_word_is_all_of_its_pieces(kind: TokenKind) -> None:
    text = "  the  émigré, there "
    tokenizer = train_tokenizer(kind, [text], 12, Layout())
    ids, units = tokenizer.encode([text])[0].ids, pieces_of_units(tokenizer, text)
    read = ["".join(tokenizer.piece(ids[i]) for i in unit) for unit in units]
    plain = [tokenizer.decode([ids[i] for i in unit]).strip() for unit in units]
    assert plain == ["the", "émigré,", "there"], read
    flat = [i for unit in units for i in unit]
    assert flat == sorted(set(flat))


def test_units_are_what_text_is_cut_into() -> None:
    jamo = train_tokenizer("characters", ["한a"], 0, Layout(compose=True))
    assert pieces_of_units(jamo, "한a") == [[0], [1], [2], [3]]
    words = train_tokenizer("words", ["a bc"], 0, Layout())
    assert pieces_of_units(words, "bc  a unseen") == [[0], [1], [2]]


def test_links_of_words_are_between_all_pieces() -> None:
    pair = Pair("ab cd", "cd", (), 1)
    pieces = train_tokenizer("bytes", ["x"], 0, Layout())
    links = Links(Path("links.txt"), (((1, 0),),))
    [found] = links.between(Tokenizers(pieces, pieces))([pair])
    assert found == [0, 3, 0, 4, 1, 3, 1, 4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0-0\n\n0:1\n\n", r"links\.txt:3: '0:1' is no link; expected .* 0-0"),
        ("0-0 1-\n\n\n\n", r"links\.txt:1: '1-' is no link"),
        ("0-0\n\n\n", r"links\.txt:4: 3 lines of links for 4 lines of .*pairs\.tsv"),
        ("0-0\n\n\n\n\n", r"links\.txt:5: 5 lines of links for 4"),
    ],
)
def test_what_is_malformed_is_refused_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path, text)


@pytest.mark.parametrize("link", ["2-0", "0-2"])
def test_a_link_out_of_its_pair_is_refused_by_its_line(tmp_path: Path, link: str) -> None:
    links, tokenizers = read(tmp_path, f"0-0\n\n{link}\n\n"), joint(PAIRS)
    said = (
        rf"links\.txt:3: the link {link} in a pair of 2 source and 2 target units; expected .*1-1"
    )
    with pytest.raises(DataError, match=said):
        Store.write(tmp_path / "store", PAIRS, tokenizers, links.between(tokenizers))


def test_a_pair_behind_the_last_line_of_links_is_refused() -> None:
    links, tokenizers = Links(Path("links.txt"), (((0, 0),),)), joint(PAIRS)
    with pytest.raises(DataError, match=r"links\.txt:2: 1 lines of links, and a pair on line 3"):
        links.between(tokenizers)(PAIRS[1:2])
