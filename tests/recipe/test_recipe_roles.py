"""Roles in a recipe: read strictly, kept in the bundle, told on the card."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from torch import Tensor

import seq2see
from fixtures import TINY, easy, journal_rows, train_tiny, write_tsv
from seq2see.data.pairs import Pair
from seq2see.errors import BundleError, ConfigError
from seq2see.nn import roles
from seq2see.nn.plan import HeadRole
from seq2see.nn.sides import Side
from seq2see.recipe.choose import choose
from seq2see.recipe.draft import draft
from seq2see.recipe.run import take_up
from seq2see.recipe.sameness import check_same
from seq2see.recipe.sections import Recipe
from seq2see.recipe.survey import survey

PREVIOUS = '{at="encoder.0.self",head=0,role="previous",how="bias"}'
ACROSS = '{at="decoder.0.cross",head=1,role="same_token"}'


def resolved(*assignments: str, path: Path | None = None) -> Recipe:
    return choose(draft(path, [*TINY, *assignments]), survey(easy()))[0]


def test_file_and_shell_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(
        "[model]\nheads = 2\n\n[[model.roles]]\n"
        'at = "encoder.0.self"\nhead = 0\nrole = "previous"\n',
        encoding="utf-8",
    )
    found = resolved(path=path)
    assert found == resolved(f"model.roles=[{PREVIOUS}]")
    assert found.model.roles == (HeadRole("encoder.0.self", 0, "previous", "bias", gain=6.0),)
    assert Recipe.from_tree(found.as_tree()) == found


def test_heads_with_roles_make_it_a_transformer() -> None:
    tree = draft(None, [f"model.roles=[{PREVIOUS}]"])
    recipe, reasons = choose(tree, survey(easy()))
    assert recipe.model.kind == "transformer"
    assert ("model.kind", "transformer", "its heads are given roles") in reasons


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ('model.roles=[{at="encoder.0.self",head=0,rolle="first"}]', r"roles\[0\]\.rolle.*role\?"),
        ('model.roles=[{at="encoder.0.self",head=0,role="first",how="bais"}]', "bias"),
        ('model.roles=[{at="encoder.0.self",role="first"}]', "required"),
        ("model.roles=previous", "a list of tables"),
        ("model.roles=[1]", "a table of settings"),
        (f"model.kind=lstm model.roles=[{PREVIOUS}]", "no heads to be given roles"),
        (f"data.links=x model.roles=[{PREVIOUS}]", "no head is guided by the links"),
        (
            'model.roles=[{at="decoder.0.cross",head=0,role="links",how="guided"}]',
            "no links are given",
        ),
        (f"data.joint=false model.roles=[{ACROSS}]", "joint vocabulary alone"),
    ],
)
def test_what_is_malformed_or_impossible_is_refused(assignment: str, said: str) -> None:
    first, _, second = assignment.partition(" model.roles")
    split = [first, f"model.roles{second}"] if second else [assignment]
    base = () if first == "model.kind=lstm" else TINY
    with pytest.raises(ConfigError, match=said):
        choose(draft(None, [*base, *split]), survey(easy()))


def test_a_resumed_run_keeps_its_roles(tmp_path: Path) -> None:
    recorded = resolved(f"model.roles=[{PREVIOUS}]").as_tree()
    check_same(draft(None, [f"model.roles=[{PREVIOUS}]"]), recorded, tmp_path)
    for other in (f"model.roles=[{ACROSS}]", "model.roles=previous"):
        with pytest.raises(ConfigError, match="keeps its settings"):
            check_same(draft(None, [other]), recorded, tmp_path)


def test_a_bundle_names_a_role_and_whoever_opens_it_defines_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "_MAKERS", dict(roles._MAKERS))

    @seq2see.role
    def read_before(q: Side, k: Side) -> Tensor:
        return (q.token == k.token) & (k.pos < q.pos)

    mine = '{at="decoder.0.self",head=1,role="read_before",how="fixed"}'
    folder = train_tiny(tmp_path, f"model.roles=[{PREVIOUS},{mine}]", "train.steps=4")
    recipe = tomllib.loads((folder / "recipe.toml").read_text("utf-8"))
    assert [each["role"] for each in recipe["model"]["roles"]] == ["previous", "read_before"]
    assert recipe["model"]["length_ratio"] == 1.0
    card = (folder / "card.md").read_text("utf-8")
    assert "- head 1 of decoder.0.self: read_before (fixed)" in card
    assert card.count("roles") == 0
    model = seq2see.load(folder)
    assert model.translate(["abc"]) == model.translate(["abc"], beam=5)

    del roles._MAKERS["read_before"]
    with pytest.raises(BundleError, match=r"no role is named read_before.*@seq2see\.role"):
        seq2see.load(folder)


def test_the_command_line_runs_the_file_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from seq2see.cli import main

    monkeypatch.setattr(roles, "_MAKERS", dict(roles._MAKERS))
    data, file = write_tsv(tmp_path / "pairs.tsv", easy()), tmp_path / "mine.py"
    mine = 'model.roles=[{at="encoder.0.self",head=0,role="odd",how="bias"}]'
    command = ["train", str(data), mine, "--explain"]
    assert main(command) == 2
    assert "no role is named odd" in capfd.readouterr().err
    file.write_text(
        "import seq2see\n@seq2see.role(tokens=False)\ndef odd(q, k):\n    return k.pos % 2\n"
    )
    assert main(["--roles", str(file), *command]) == 0
    assert 'role = "odd"' in capfd.readouterr().out
    for text, said in (("1 / 0\n", "ZeroDivisionError"), ("x = 1\n", "defines no role")):
        file.write_text(text)
        assert main(["--roles", str(file), *command]) == 2
        assert said in capfd.readouterr().err


def test_a_run_learns_from_links_and_takes_them_up_again(tmp_path: Path) -> None:
    """The pair on the second line is empty: its links go with it."""
    pairs = [*easy()[:1], Pair("", ""), *easy()[1:]]
    lines = [" ".join(f"{i}-{i}" for i in range(len(pair.source))) for pair in pairs]
    (tmp_path / "links.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    role = '{at="decoder.0.cross",head=1,role="links",how="guided",weight=1.0}'
    links = f"data.links={tmp_path / 'links.txt'}"
    folder = train_tiny(tmp_path, f"model.roles=[{role}]", links, pairs=pairs)
    rows = journal_rows(folder / "training" / "metrics.jsonl")
    guided = [row["guided"] for row in rows if row["kind"] == "train"]
    assert guided[0] > guided[-1] > 0
    store = take_up(folder).store
    assert store.links is not None
    for row in range(len(store)):
        assert len(store.links[row]) == 2 * (len(store.source[row]) - 1)
    offsets = folder / "training" / "store" / "links.offsets.npy"
    offsets.write_bytes(offsets.read_bytes()[:-1] + b"\1")
    with pytest.raises(BundleError, match=r"links\.offsets"):
        take_up(folder)
