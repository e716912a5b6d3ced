"""What studies read off heads and vectors, on models whose weights are set so that it is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from study_samples import PAIRS, read, subject

from helpers import transformer_settings
from look.opened import changed, network_of, searching
from seq2see.api.model import Model
from seq2see.data.pairs import Pair
from seq2see.nn.network import Network
from seq2see.nn.plan import HeadRole
from seq2see.nn.settings import TransformerSettings
from seq2see.study import pruning, saturation, states
from seq2see.study.measures import EXACT
from seq2see.study.patterns import ITSELF, weight_on_itself
from seq2see.study.pruning import SCRATCH, TUNED, TUNED_RANDOM
from seq2see.study.single import HARM, MATTER, harm
from seq2see.study.trial import Subject

ATTENTIONS = ("encoder.0.self", "decoder.0.self", "decoder.0.cross")
LOUD = ("decoder.0.cross", 1)
LUCKY = 9
"""A seed whose draw leaves that head to the last; the next one's does not."""
TWO = transformer_settings()


def made(settings: TransformerSettings, change: Callable[[Network], None]) -> Subject:
    return subject(settings, network_of(changed(searching(settings), change)))


def only_one(network: Network) -> None:
    """Silences every head but one, which alone decides between many outputs."""
    generator = torch.Generator().manual_seed(2)
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_(generator=generator)
        elif not name.endswith("norm.weight"):
            parameter.zero_()
        else:
            parameter.fill_(1.0)
    network.get_parameter("decoder.0.feedforward.narrow.weight").zero_()
    for at in ATTENTIONS:
        weight = network.get_parameter(f"{at}.output.weight")
        width = weight.shape[1] // 2
        for head in range(2):
            weight[:, head * width : (head + 1) * width] *= 8.0 * ((at, head) == LOUD)


def silent(network: Network) -> None:
    """Silences every head."""
    for at in ATTENTIONS:
        network.get_parameter(f"{at}.output.weight").zero_()


def test_where_no_head_writes_none_is_missed() -> None:
    found = read(list(harm()(made(TWO, silent))))
    assert {name for _, name, _ in found} == {"", *ATTENTIONS}
    assert list(found.values()) == pytest.approx([0.0] * 5, abs=1e-5)


def test_where_one_head_writes_it_alone_matters() -> None:
    asked = made(TWO, only_one)
    # Targets that the model finds likely, so that the head is for something.
    said = asked.model.translate([pair.source for pair in PAIRS], beam=1)
    asked = replace(asked, test=tuple(map(Pair, (pair.source for pair in PAIRS), said)))
    found = read(list(harm()(asked)))
    assert found[HARM, "decoder.0.cross", None] > 0.1
    assert found[HARM, "", None] == found[HARM, "decoder.0.cross", None]
    for at in ATTENTIONS[:2]:
        assert found[HARM, at, None] == pytest.approx(0.0, abs=1e-5)
    assert found[MATTER, "", None] == pytest.approx(100 / 6)


def one_that_carries(monkeypatch: pytest.MonkeyPatch) -> Subject:
    """A model of which one head decides what is written, asked for what it writes."""
    asked = made(TWO, only_one)
    sources = [first + second * 3 for first in "abcd" for second in "efgh"]
    outputs = asked.model.translate(sources, beam=1)
    assert len(set(outputs)) > 4
    test = tuple(map(Pair, sources, outputs))
    bundle = asked.model.bundles[0]
    bundle.scores["training"] = {"steps": 70}
    bundle.recipe["train"].update(minutes=0.5, steps=1000)
    bundle.recipe["data"]["train"] = "pairs.tsv"
    real = Model.read
    monkeypatch.setattr(Model, "read", lambda model, data: real(model, data or test))
    return replace(asked, test=test)


def test_the_head_that_carries_the_task_goes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = one_that_carries(monkeypatch)
    found = read(list(pruning.pruning((1.0, 5 / 6, 1 / 6, 0.0), (), 0)(asked)))
    for order in ("gradient", "ablation", "magnitude"):
        right = [found[EXACT, order, at] for at in (6, 5, 1, 0)]
        assert right[:3] == [100.0, 100.0, 100.0], order
        assert right[3] < 50.0, order
    assert found[EXACT, "random", 6] == 100.0
    # What a draw leaves is the head that counts, or none that does.
    for seed, right in ((LUCKY, 100.0), (LUCKY + 1, found[EXACT, "random", 0])):
        drawn = read(list(pruning.pruning((1 / 6,), (), 0)(replace(asked, seed=seed))))
        assert drawn[EXACT, "random", 1] == right


def test_models_are_trained_on_as_long_and_from_where_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Within minutes the updates that were made count, and not those that were asked for."""
    asked = replace(one_that_carries(monkeypatch), folder=tmp_path)
    calls: dict[str, dict[str, Any]] = {}
    monkeypatch.setattr(Model, "save", lambda *_: None)
    monkeypatch.setattr(pruning, "_right", lambda _, model, keep, by: (model, keep, by))

    def trained(tree: dict[str, Any], folder: Path, *_: object) -> str:
        calls[folder.name] = tree["train"]
        return folder.name

    monkeypatch.setattr(pruning, "trained", trained)
    found = list(pruning.pruning((), (0.5,), steps=30)(asked))
    assert found == [
        ("tuned-3", 3, TUNED),
        ("tuned-3-random", 3, TUNED_RANDOM),
        ("scratch-3", 3, SCRATCH),
    ]
    assert {name: (how["minutes"], how["steps"], how["start"]) for name, how in calls.items()} == {
        "tuned-3": (0.0, 30, str(tmp_path / "pruned-3")),
        "tuned-3-random": (0.0, 30, str(tmp_path / "pruned-3-random")),
        "scratch-3": (0.0, 100, ""),
    }


def test_a_softmax_of_scores_that_are_all_0_is_as_open_as_it_can_be() -> None:
    """Of n pieces each weighs 1 / n, and the slope is the root of 1 / n - 1 / n ** 2."""

    def blind(network: Network) -> None:
        for at in ("encoder.0.self", "decoder.0.cross"):  # the decoder's own does not count
            for part in ("weight", "bias"):
                network.get_parameter(f"{at}.query.{part}").zero_()

    found = read(list(saturation.saturation()(made(TWO, blind))))
    sizes = [len(pair.source) + 1 for pair in PAIRS]  # with the end mark
    even = sum(1 / n for n in sizes) / len(sizes)
    steep = sum(math.sqrt(1 / n - 1 / n**2) for n in sizes) / len(sizes)
    series = saturation.TRAINED
    assert found[saturation.SPREAD, series, None] == 0.0
    assert found[saturation.LARGEST, series, None] == pytest.approx(even)
    assert found[saturation.SLOPE, series, None] == pytest.approx(steep)
    assert found[saturation.SPREAD, saturation.UNTRAINED, None] > 0.0


def test_a_softmax_of_huge_scores_is_shut() -> None:
    def sharp(network: Network) -> None:
        for at in ("encoder.0.self", "decoder.0.cross"):
            network.get_parameter(f"{at}.query.weight").mul_(1e4)

    found = read(list(saturation.saturation()(made(TWO, sharp))))
    assert found[saturation.LARGEST, saturation.TRAINED, None] == pytest.approx(1, abs=0.01)
    assert found[saturation.SLOPE, saturation.TRAINED, None] == pytest.approx(0, abs=0.01)
    assert found[saturation.SPREAD, saturation.TRAINED, None] > 100


@pytest.mark.parametrize(
    ("roles", "known"),
    [(("self", "self"), 100.0), (("previous", "next"), 0.0), (("self", "previous"), 50.0)],
)
def test_the_weight_on_itself_is_that_of_the_roles_of_the_encoder(
    roles: tuple[str, str], known: float
) -> None:
    given = tuple(HeadRole("encoder.0.self", h, role, "fixed") for h, role in enumerate(roles))
    asked = subject(transformer_settings(roles=given))
    [found] = weight_on_itself()(asked)
    assert found.measure == ITSELF
    assert found.value == pytest.approx(known)


def test_vectors_that_are_the_same_at_all_positions_have_no_residue() -> None:
    """All pieces read as one and no positions: so it stays, layer by layer."""
    settings = transformer_settings(positions="none", norm="none", encoder_layers=2)

    def alike(network: Network) -> None:
        network.source.table.weight.copy_(torch.arange(1.0, 9.0).expand(13, 8))

    found = read(list(states.collapse()(made(settings, alike))))
    levels = {at for measure, _, at in found if measure == states.RESIDUE and at is not None}
    assert len(levels) == 5  # the embedding and two sub-layers of two layers
    for at in levels:
        assert found[states.RESIDUE, "", at] == pytest.approx(0, abs=1e-4)
        assert found[states.ALIKE, "", at] == pytest.approx(1, abs=1e-4)
    assert found[states.ALIKE, states.LAST, None] == pytest.approx(1, abs=1e-4)
    unlike = read(list(states.collapse()(subject(settings))))
    assert unlike[states.RESIDUE, states.LAST, None] > 0.1
