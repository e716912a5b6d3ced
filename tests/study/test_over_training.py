"""What is read of a model along its training: twins that stay or part, roles that stay or decay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from study_samples import PAIRS, options, read, shrunk, subject

from helpers import transformer_settings
from look.opened import changed, network_of, searching
from seq2see.errors import ConfigError, DataError
from seq2see.nn.network import Network
from seq2see.nn.plan import HeadRole
from seq2see.recipe.folder import TrainingFolder
from seq2see.study import survival
from seq2see.study.along import along, milestones
from seq2see.study.catalogue import find
from seq2see.study.cloned import UNEQUAL, cloned, gradient_difference, unequal
from seq2see.study.drawn import untrained
from seq2see.study.measures import size
from seq2see.study.patterns import APART, UNLIKE, head_distance, largest_difference, unlike
from seq2see.study.plan import Begin, Factor, Level
from seq2see.study.readings import Reading
from seq2see.study.survival import ABOVE, HALF, KEPT, SHARE, USE
from seq2see.study.trial import Subject, trials

FOUR = transformer_settings(heads=4)


def begun(begin: Begin) -> Subject:
    return subject(FOUR, network_of(changed(searching(FOUR), begin)))


@pytest.mark.parametrize(("with_output", "twins"), [(True, True), (False, False)])
def test_twins_have_equal_patterns_and_equal_gradients_if_they_share_w_o(
    with_output: bool, twins: bool
) -> None:
    made = begun(cloned(with_output=with_output))
    [*_, apart] = head_distance()(made)
    [weights] = largest_difference()(made)
    assert apart.value < 1e-9
    assert weights.value < 1e-5
    [gradients] = gradient_difference()(made)
    assert (gradients.value < 1e-4) is twins
    assert twins or gradients.value > 0.1


def test_heads_that_were_drawn_one_by_one_are_apart_and_so_are_their_gradients() -> None:
    made = subject(FOUR)
    [*_, apart] = head_distance()(made)
    [weights] = largest_difference()(made)
    [gradients] = gradient_difference()(made)
    assert apart.value > 0.01
    assert weights.value > 0.1
    assert gradients.value > 0.5


def test_differences_by_hand() -> None:
    right = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert unequal(right) == pytest.approx(2**0.5)
    assert unequal(torch.tensor([[1.0, 2.0], [-1.0, -2.0]])) == pytest.approx(2)
    assert unequal(torch.zeros(3, 2)) == 0
    patterns = torch.tensor([[[0.5, 0.5]], [[0.8, 0.2]], [[0.4, 0.6]]])
    assert unlike(patterns) == pytest.approx(0.4)


SMALL = (
    "model.d_model=16", "model.d_ff=16", "model.encoder_layers=1", "model.decoder_layers=1",
    "decode.beam=1", "train.steps=20", "train.rate=0.01", "train.warmup=1",
    "train.milestones=[0,20]",
)  # fmt: skip


def test_training_keeps_whole_twins_together_and_parts_all_others(tmp_path: Path) -> None:
    found = {}
    for one in trials(shrunk(find("twins")), 1, options(tmp_path, *SMALL)):
        places = {(r.measure, r.at): r.value for r in one.run().readings if not r.series}
        found[one.condition.labels["heads"]] = places
    for name, places in found.items():
        together = name == "twins with W_O"
        assert (places[APART, 0] < 1e-9) is (name != "independent"), name
        assert (places[APART, 20] < 1e-9) is together, (name, places)
        assert (places[UNLIKE, 20] < 1e-3) is together, (name, places)
        assert places[APART, None] == places[APART, 20]
    # Without dropout, the gradient tells before the first update who will part.
    assert found["twins with W_O"][UNEQUAL, 0] < 1e-3 < found["twins without W_O"][UNEQUAL, 0]


def test_a_level_may_change_what_training_begins_with(tmp_path: Path) -> None:
    def silent(network: Network) -> None:
        network.get_parameter("encoder.0.self.value.weight").data.zero_()

    def loud(network: Network) -> None:
        network.get_parameter("encoder.0.self.value.weight").data.add_(1.0)

    seen: dict[str, torch.Tensor] = {}

    def first(made: Subject) -> list[Reading]:
        name = made.condition.labels["begun"]
        seen[name] = made.model.network.state_dict()["encoder.0.self.value.weight"]
        [(step, same), *_] = milestones(made)
        assert step == 0
        for key, value in untrained(made.model).network.state_dict().items():
            assert torch.equal(value, same.model.network.state_dict()[key])
        return [Reading("one", 1.0)]

    levels = (Level("as drawn"), Level("silent", begin=silent), Level("both", begin=silent))
    study = replace(
        shrunk(find("twins")),
        factors=(Factor("begun", levels), Factor("more", (Level("none"), Level("x", begin=loud)))),
        left_out=lambda labels: (labels["more"] == "x") != (labels["begun"] == "both"),
        measures=(first,),  # type: ignore[arg-type]
    )
    still = ("train.rate=1e-30", "train.average=none", "train.weight_decay=0")
    for one in trials(study, 1, options(tmp_path, *SMALL, *still)):
        one.run()
    assert seen["silent"].abs().max() < 1e-20
    # In the order of the factors: first made 0, then raised.
    assert torch.equal(seen["both"], torch.ones_like(seen["both"]))
    assert seen["as drawn"].abs().max() > 0


def test_settings_can_be_made_of_several_levels_at_once() -> None:
    study = replace(
        shrunk(find("twins")),
        drawn=(),
        factors=(Factor("a", (Level("1"), Level("2"))), Factor("b", (Level("3"),))),
        combined=lambda labels: (f"seed={labels['a']}{labels['b']}",),
    )
    assert [each.settings for each in study.conditions()] == [("seed=13",), ("seed=23",)]


def test_a_measure_is_followed_over_milestones(tmp_path: Path) -> None:
    made = replace(subject(FOUR), folder=tmp_path)
    with pytest.raises(DataError, match="no milestone") as caught:
        list(along(size)(made))
    assert "train.milestones" in caught.value.mend
    for step in (10, 0):
        made.model.save(TrainingFolder(tmp_path).milestone(step))
    [begin, end, plain] = along(size)(made)
    assert (begin.at, end.at, plain.at) == (0, 10, None)
    with pytest.raises(ConfigError, match="a curve itself"):
        list(along(along(size))(made))


def test_what_is_kept_and_how_long_it_lasts_by_hand() -> None:
    curve = survival.kept([(100, 0.8), (200, 0.6), (400, 0.2), (800, 0.6)])
    assert curve == [
        (100, 1.0),
        (200, pytest.approx(0.75)),
        (400, 0.25),
        (800, pytest.approx(0.75)),
    ]
    assert survival.half_life(curve) == pytest.approx(300)
    assert survival.half_life(curve[:2]) == 200
    assert survival.kept([(0, 0.01), (9, 0.5)]) == []
    assert survival.kept([]) == []


HEAD = ("encoder.0.self", 0)


def kept_along(folder: Path, how: str, *changes: Callable[[Network], None], **more: Any) -> Subject:
    """A model with a previous head, kept at steps 0, 10, 20 … after each of some changes."""
    role = HeadRole(*HEAD, "previous", how, **more)  # type: ignore[arg-type]
    settings = transformer_settings(d_model=16, length_ratio=1.0, roles=(role,))
    torch.manual_seed(0)
    sizes = network_of(searching(settings)).sizes
    network = Network(settings, sizes).eval()
    made = replace(subject(settings, network), folder=folder)
    for i, change in enumerate((lambda _: None, *changes)):
        with torch.no_grad():
            change(network)
        made.model.save(TrainingFolder(folder).milestone(10 * i))
    return made


def blind(network: Network) -> None:
    """Lets the head look alike everywhere."""
    network.get_parameter("encoder.0.self.query.weight")[:8].zero_()
    network.get_parameter("encoder.0.self.query.bias")[:8].zero_()


def mute(network: Network) -> None:
    """Lets the head write nothing."""
    network.get_parameter("encoder.0.self.output.weight")[:, :8].zero_()


def nothing(_: Network) -> None:
    """Leaves the network as it is."""


def series(made: Subject) -> dict[tuple[str, str, float | None], float]:
    return read(list(survival.survival({"next": HEAD})(made)))


def test_an_unchanged_model_keeps_its_role_and_a_uniform_head_has_none(tmp_path: Path) -> None:
    found = series(kept_along(tmp_path, "init", nothing, blind, mute, gain=20.0))
    job = "previous"
    assert found[ABOVE, job, 0] > 0.5
    assert [found[KEPT, job, at] for at in (0, 10, 20)] == pytest.approx([1, 1, 0], abs=1e-5)
    assert found[KEPT, job, None] == found[KEPT, job, 30]
    assert found[HALF, job, None] == pytest.approx(15, abs=1e-3)
    assert found[SHARE, job, 20] > 0.1
    assert found[SHARE, job, 30] == 0
    assert found[USE, job, 30] == pytest.approx(0, abs=1e-5)
    assert abs(found[USE, job, 0]) > 1e-4


def test_a_fixed_head_keeps_its_role_whatever_else_happens(tmp_path: Path) -> None:
    found = series(kept_along(tmp_path, "fixed", mute))
    assert found[ABOVE, "previous", None] == pytest.approx(1)
    assert found[KEPT, "previous", None] == 1
    assert found[HALF, "previous", None] == 10  # never: all updates
    assert found[USE, "previous", None] == pytest.approx(0, abs=1e-5)


def test_a_guided_head_counts_from_its_release(tmp_path: Path) -> None:
    made = kept_along(tmp_path, "guided", _sharp, nothing, blind, until=10)
    found = series(made)
    job = "previous"
    assert (KEPT, job, 0) not in found
    assert [found[KEPT, job, at] for at in (10, 20)] == [1, 1]
    assert found[KEPT, job, 30] == pytest.approx(0, abs=1e-5)
    assert found[HALF, job, None] == pytest.approx(15, abs=1e-3)


def _sharp(network: Network) -> None:
    """Lets the head look before itself by hand: the position codes, one step turned."""
    settings = transformer_settings(
        d_model=16, length_ratio=1.0, roles=(HeadRole(*HEAD, "previous", "init", gain=400.0),)
    )
    written = Network(settings, network.sizes).state_dict()
    network.source.table.weight.mul_(1e-3)
    for name in ("query", "key"):
        for part in ("weight", "bias"):
            key = f"encoder.0.self.{name}.{part}"
            network.get_parameter(key)[:8].copy_(written[key][:8])


def test_a_model_without_roles_is_the_control(tmp_path: Path) -> None:
    made = replace(subject(FOUR), folder=tmp_path)
    made.model.save(TrainingFolder(tmp_path).milestone(0))
    found = series(made)
    table = made.model.heads(PAIRS, HEAD[0], ablations="likelihood")
    assert found[ABOVE, "next", None] == pytest.approx(table[HEAD].match("next").gain)
    assert found[USE, "next", None] == pytest.approx(-table[HEAD].change.value)
