"""The Python face: translate, score, evaluate, save and load; ensembles; options checked."""

from __future__ import annotations

import shutil
from math import exp
from pathlib import Path

import pytest

from fixtures import easy, train_tiny, write_tsv
from seq2see.api.model import Model, load
from seq2see.data.pairs import Pair
from seq2see.errors import BundleError, ConfigError, DataError, Seq2seeError
from seq2see.nn.network import Network

SOURCES = ["ab", "", "edc", "a", "ab", "   ", "abcde" * 8, "Ωa"]


@pytest.fixture(scope="module")
def model(trained: Path) -> Model:
    return load(trained)


@pytest.fixture(scope="module")
def sibling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the same data, and so of the same vocabulary, with other weights."""
    return train_tiny(tmp_path_factory.mktemp("sibling"), "seed=1", "train.steps=20")


def test_lines_in_are_lines_out(model: Model) -> None:
    found = model.translate(SOURCES)
    assert len(found) == len(SOURCES)
    assert found[1] == found[5] == ""
    assert found[0] == found[4] != ""
    assert found == [model.translate([source])[0] for source in SOURCES]
    assert model.translate([]) == []


def test_one_text_is_one_line(model: Model) -> None:
    assert model.translate("ab") == model.translate(["ab"])


def test_options_change_the_search(model: Model) -> None:
    found = model.search(["edc"], beam=3, nbest=3, alignments=True)[0]
    assert len(found) == 3
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found[0].pattern is not None
    assert found[0].pattern.shape[-1] == len("edc") + 1
    drawn = [model.translate(["edc"] * 3, sample=True, seed=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2] or len(set(drawn[0])) > 1


def test_a_prefix_is_kept(model: Model) -> None:
    found = model.search(["ab", "cd"], ["e", ""])
    assert found[0][0].text.startswith("e")


@pytest.mark.parametrize("call", ["translate", "search", "evaluate"])
def test_an_unknown_option_is_refused(model: Model, call: str) -> None:
    argument = [Pair("ab", "ab")] if call == "evaluate" else ["ab"]
    with pytest.raises(ConfigError, match="unknown option") as caught:
        getattr(model, call)(argument, beem=3)
    assert caught.value.where == "beem"
    assert "beam" in caught.value.expected


def test_an_option_out_of_range_is_refused(model: Model) -> None:
    with pytest.raises(ConfigError, match=r"^beam: found 0"):
        model.translate(["ab"], beam=0)


def test_scores_of_given_targets(model: Model) -> None:
    best = model.search(["abc"], beam=4)[0][0]
    scored = model.score([Pair("abc", best.text), Pair("abc", "eeeee"), Pair("abc", "")])
    assert [one.text for one in scored] == [best.text, "eeeee", ""]
    assert scored[0].score == pytest.approx(sum(best.token_scores), abs=1e-4)
    assert scored[0].token_scores == pytest.approx(best.token_scores, abs=1e-4)
    assert scored[0].score > scored[1].score
    assert all(token <= 0 for one in scored for token in one.token_scores)
    assert len(scored[1].token_scores) == len("eeeee") + 1


def test_evaluation_is_translation_and_scoring(model: Model, tmp_path: Path) -> None:
    pairs = easy()[:40]
    found = model.evaluate(pairs)
    outputs = model.translate([pair.source for pair in pairs])
    assert list(found.outputs) == outputs
    right = sum(a == p.target for a, p in zip(outputs, pairs, strict=True))
    score = found["accuracy"]
    assert score.value == pytest.approx(100 * right / 40)
    assert score.low <= score.value <= score.high
    assert [score.metric for score in found.scores] == ["accuracy", "cer"]
    assert found.unknown_share == 0.0
    assert found.comparisons == ()
    assert model.evaluate(write_tsv(tmp_path / "x.tsv", pairs)).scores == found.scores


def test_a_source_on_several_lines_has_several_references(model: Model) -> None:
    output = model.translate(["abc"])[0]
    found = model.evaluate([Pair("abc", "never"), Pair("abc", output)], ["accuracy"])
    assert (found["accuracy"].value, found["accuracy"].sources) == (100.0, 1)


def test_unknown_characters_are_a_share(model: Model) -> None:
    assert model.evaluate([Pair("aΩ", "a"), Pair("ab", "b")]).unknown_share == 0.25


def test_metrics_can_be_named(model: Model) -> None:
    found = model.evaluate(easy()[:5], ["chrf", "cer"])
    assert [score.metric for score in found.scores] == ["chrf", "cer"]
    with pytest.raises(ConfigError, match="blue"):
        model.evaluate(easy()[:5], ["blue"])


def test_a_metric_that_was_not_asked_for_is_a_missing_key(model: Model) -> None:
    found = model.evaluate(easy()[:5], ["cer"])
    with pytest.raises((KeyError, Seq2seeError)):
        found["bleu"]


def test_two_models_are_compared_in_pairs(model: Model, sibling: Path) -> None:
    found = model.evaluate(easy()[:40], against=load(sibling))
    assert [each.metric for each in found.comparisons] == ["accuracy", "cer"]
    same = model.evaluate(easy()[:40], against=model)
    assert all(each.difference == 0 for each in same.comparisons)


def test_reading_pairs_to_score(model: Model, tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("t\ts\nT\tS\n", encoding="utf-8")
    found = model.read(str(tmp_path / "x.tsv"), "source=2,target=1")
    assert found == [Pair("s", "t", (), 1), Pair("S", "T", (), 2)]
    (tmp_path / "x.tsv").write_text("", encoding="utf-8")
    for data in (tmp_path / "x.tsv", tmp_path / "absent.tsv", tmp_path):
        with pytest.raises(DataError):
            model.evaluate(data)


def test_saved_and_loaded_it_is_the_same(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "copy")
    again = load(tmp_path / "copy")
    assert (again.recipe, again.scores) == (model.recipe, model.scores)
    assert again.translate(SOURCES) == model.translate(SOURCES)
    assert isinstance(again.network, Network)


def test_the_recipe_s_own_search_is_the_default(model: Model) -> None:
    options = model.options()
    decode = model.recipe.decode
    assert (options.beam, options.length_penalty) == (decode.beam, decode.length_penalty)
    assert model.options(beam=2).beam == 2


def test_an_ensemble_of_one_model_twice_is_that_model(model: Model, trained: Path) -> None:
    for twice in (load(trained, trained), load(f"{trained},{trained}")):
        assert len(twice.bundles) == 2
        assert twice.translate(SOURCES) == model.translate(SOURCES)
        ours, theirs = (m.score([Pair("abc", "abd")])[0] for m in (twice, model))
        assert ours.token_scores == pytest.approx(theirs.token_scores, abs=1e-5)


def test_an_ensemble_averages_its_members(model: Model, trained: Path, sibling: Path) -> None:
    pair = Pair("abc", "abc")
    members = [each.score([pair])[0].token_scores for each in (model, load(sibling))]
    together = load(trained, sibling).score([pair])[0].token_scores
    means = [sum(map(exp, token)) / 2 for token in zip(*members, strict=True)]
    assert [exp(token) for token in together] == pytest.approx(means, rel=1e-4)


def test_an_ensemble_is_saved_member_by_member(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="ensemble"):
        load(trained, trained).save(tmp_path / "both")
    assert not (tmp_path / "both").exists()


def test_models_of_other_pieces_make_no_ensemble(trained: Path, tmp_path: Path) -> None:
    # As many pieces, but others: only their sizes agree.
    pairs = [Pair(p.source.upper(), p.target.upper()) for p in easy()]
    other = train_tiny(tmp_path, "train.steps=2", pairs=pairs)
    assert load(trained).network.sizes == load(other).network.sizes
    with pytest.raises(BundleError, match="different tokens"):
        load(trained, other)


def test_a_path_with_a_comma_is_a_path_if_it_is_there(trained: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a,b"
    shutil.copytree(trained, odd, ignore=shutil.ignore_patterns("training"))
    assert len(load(odd).bundles) == 1


@pytest.mark.parametrize("names", ["{},", ",{}", "{},,{}", ""])
def test_a_model_without_a_name_is_refused(trained: Path, names: str) -> None:
    with pytest.raises(BundleError, match="without a name"):
        load(names.format(trained, trained))


@pytest.mark.parametrize("name", ["absent", "absent,missing", "."])
def test_what_is_no_model_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError):
        load(str(tmp_path / name))


def test_no_model_at_all_is_refused() -> None:
    with pytest.raises(Seq2seeError):
        load()
