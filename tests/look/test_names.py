"""Names of values: found by tap, by module or by glob; axes and heads told by the name."""

from __future__ import annotations

import pytest
from opened import network_of, opened

from seq2see.errors import ConfigError
from seq2see.look.names import find, find_attention, matching, only, sites


@pytest.mark.parametrize(
    ("kind", "name", "axes", "heads"),
    [
        ("shared", "encoder.0.self.pattern", "pair head source source", 4),
        ("shared", "encoder.0.self.k", "pair head source feature", 2),
        ("shared", "decoder.0.self.scores", "pair head target target", 4),
        ("shared", "decoder.0.cross.q", "pair head target feature", 4),
        ("shared", "decoder.0.cross.v", "pair head source feature", 2),
        ("shared", "decoder.0.cross.pattern", "pair head target source", 4),
        ("shared", "decoder.0.cross.context", "pair head target feature", 4),
        ("shared", "decoder.0.feedforward.neurons", "pair target feature", 0),
        ("shared", "source.tokens", "pair source feature", 0),
        ("shared", "prediction", "pair target vocabulary", 0),
        ("programmed", "decoder.0.cross.pattern", "pair head target source", 4),
        ("programmed", "decoder.0.cross.q", "pair head target feature", 3),
        ("programmed", "decoder.0.cross.v", "pair head source feature", 4),
        ("bilstm", "decoder.cross.pattern", "pair head target source", 1),
        ("bilstm", "decoder.cross.context", "pair target feature", 1),
        ("bilstm", "decoder.cross.k", "pair source feature", 1),
        ("bilstm", "encoder.0.backwards.cell", "pair source feature", 0),
    ],
)
def test_axes_and_heads(kind: str, name: str, axes: str, heads: int) -> None:
    site = sites(network_of(opened(kind)))[name]
    assert site.axes == tuple(axes.split())
    assert site.heads == heads


def test_heads_keep_their_numbers_beside_a_fixed_one() -> None:
    known = sites(network_of(opened("programmed")))
    q, context = known["decoder.0.self.q"], known["decoder.0.self.context"]
    assert (q.numbers, context.numbers) == ((0, 2, 3), (0, 1, 2, 3))
    assert (q.chosen([2, 0]), context.chosen([2, 0])) == ([1, 0], [2, 0])
    with pytest.raises(ConfigError, match=r"found head 1; expected .* which are 0, 2, 3"):
        q.chosen([1])


def test_values_that_pass_once_a_step_are_known() -> None:
    known = sites(network_of(opened("bilstm")))
    stepwise = {name for name, site in known.items() if site.stepwise}
    assert "encoder.1.backwards.hidden" in stepwise
    assert not stepwise & {"encoder.1.backwards.states", "decoder.out", "decoder.cross.context"}
    assert {name for name, site in known.items() if site.backwards} == {
        name for name in known if name.startswith(("encoder.0.backwards", "encoder.1.backwards"))
    }


def test_a_glob_finds_names_in_the_network_s_order() -> None:
    network = network_of(opened("transformer"))
    found = [site.name for site in matching(network, "*coder.?.out")]
    assert found == ["encoder.0.out", "encoder.1.out", "decoder.0.out", "decoder.1.out"]
    assert [site.name for site in matching(network, "prediction")] == ["prediction"]


@pytest.mark.parametrize("at", ["encoder.1.self", "encoder.1.self.pattern"])
def test_an_attention_is_found_by_its_own_name_or_its_pattern_s(at: str) -> None:
    network = network_of(opened("transformer"))
    site, attention = find_attention(network, at)
    assert site.name == "encoder.1.self.pattern"
    assert attention is network.get_submodule("encoder.1.self")


def test_a_network_is_no_place() -> None:
    network = network_of(opened("transformer"))
    assert only(network) is network
    for at in ("", "encoder.0.norm", "encoder.0.around_feedforward.norm"):
        with pytest.raises(ConfigError, match="nothing of that name"):
            find(network, at)
