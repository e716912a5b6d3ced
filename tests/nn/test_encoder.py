"""From embeddings to memory."""

from __future__ import annotations

import pytest
import torch

from helpers import normal, randomised, recurrent_settings, same, transformer_settings, watched
from seq2see.nn.encoder import RecurrentEncoder, TransformerEncoder
from seq2see.nn.masks import over_keys
from seq2see.nn.norms import Norm
from seq2see.nn.recurrent import CellKind, Recurrence

REAL = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]).bool()
KINDS: tuple[CellKind, ...] = ("rnn", "gru", "lstm")


def transformer(**changes: object) -> TransformerEncoder:
    return randomised(TransformerEncoder(transformer_settings(**changes))).eval()


def recurrent(kind: CellKind, **changes: object) -> RecurrentEncoder:
    return randomised(RecurrentEncoder(recurrent_settings(kind, **changes))).eval()


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_transformer_runs_its_blocks_in_order(place: str) -> None:
    encoder, x = transformer(encoder_layers=2, norm_place=place), normal(3, 5, 8)
    y = x
    for name in ("0", "1"):
        y = encoder.get_submodule(name).encode(y, over_keys(REAL), REAL)
    same(encoder(x, REAL).states, encoder.norm(y))


def test_only_norm_before_needs_a_norm_at_the_end() -> None:
    assert encoder_norm("before") == ["norm.norm.bias", "norm.norm.weight"]
    assert encoder_norm("after") == []


def encoder_norm(place: str) -> list[str]:
    encoder = transformer(norm_place=place)
    return sorted(name for name, _ in encoder.named_parameters() if name.startswith("norm."))


def test_a_transformers_memory_has_no_last_state() -> None:
    memory = transformer()(normal(3, 5, 8), REAL)
    assert memory.final is None
    assert memory.real is REAL


@pytest.mark.parametrize("norm", ["batch", "instance", "group", "rms"])
def test_every_norm_kind_serves_in_the_encoder(norm: str) -> None:
    encoder = transformer(norm=norm, decoder_norm="layer", encoder_layers=2)
    kinds = {module.kind for module in encoder.modules() if isinstance(module, Norm)}
    assert kinds == {norm}
    assert bool(torch.isfinite(encoder(normal(3, 5, 8), REAL).states).all())


def direction(encoder: RecurrentEncoder, name: str) -> Recurrence:
    return encoder.get_submodule(name)  # type: ignore[return-value]


@pytest.mark.parametrize("kind", KINDS)
def test_the_two_directions_have_parameters_of_their_own(kind: CellKind) -> None:
    encoder = RecurrentEncoder(recurrent_settings(kind))
    ahead = dict(direction(encoder, "0.forwards").named_parameters())
    back = dict(direction(encoder, "0.backwards").named_parameters())
    assert ahead.keys() == back.keys()
    for name in ("weight_input", "weight_hidden"):
        assert not torch.equal(ahead[name], back[name])
    assert not {p.data_ptr() for p in ahead.values()} & {p.data_ptr() for p in back.values()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_direction_is_what_a_one_directional_net_would_compute(kind: CellKind) -> None:
    both, one = recurrent(kind), recurrent(kind, bidirectional=False)
    x = normal(3, 5, 6)
    memory = both(x, REAL)
    for row, length in enumerate(REAL.sum(1).tolist()):
        real = torch.ones(1, length).bool()
        alone = x[row : row + 1, :length]
        one.load_state_dict(only(both, "forwards"))
        ahead = one(alone, real)
        one.load_state_dict(only(both, "backwards"))
        back = one(alone.flip(1), real)
        same(memory.states[row, :length, :5], ahead.states[0])
        same(memory.states[row, :length, 5:], back.states[0].flip(0))
        same(memory.final[row], torch.cat([ahead.final[0], back.final[0]], -1))


def only(both: RecurrentEncoder, way: str) -> dict[str, torch.Tensor]:
    """The parameters of one direction, as those of a one-directional encoder."""
    found = {name: value for name, value in both.state_dict().items() if way in name}
    return {name.replace(way, "forwards"): value for name, value in found.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_last_states_are_the_memorys_own_ends(kind: CellKind) -> None:
    memory = recurrent(kind, encoder_layers=2)(normal(3, 5, 6), REAL)
    assert memory.final is not None
    assert memory.final.shape == (3, 2, 10)
    for row, length in enumerate((5, 3, 1)):
        same(memory.final[row, -1, :5], memory.states[row, length - 1, :5])
        same(memory.final[row, -1, 5:], memory.states[row, 0, 5:])


def test_a_second_layer_reads_both_directions_of_the_first() -> None:
    encoder, x = recurrent("gru", encoder_layers=2), normal(3, 5, 6)
    with watched(encoder) as seen:
        memory = encoder(x, REAL)
    full = torch.cat(
        [seen["0.forwards.states"][0][0], seen["0.backwards.states"][0][0].flip(0)], -1
    )
    second = direction(encoder, "1.forwards")
    states, _ = second(full[None], second.zero(full[None]))
    same(memory.states[0, :, :5], states[0])


def test_one_direction_has_half_of_the_width_and_of_the_parameters() -> None:
    one, both = recurrent("lstm", bidirectional=False), recurrent("lstm")
    x = normal(3, 5, 6)
    assert one(x, REAL).states.shape == (3, 5, 5)
    assert both(x, REAL).states.shape == (3, 5, 10)
    count = [sum(p.numel() for p in net.parameters()) for net in (one, both)]
    assert count[1] == 2 * count[0] == 2 * 4 * (5 * 6 + 5 * 5 + 2 * 5)


def test_only_two_directions_know_what_is_still_to_come() -> None:
    x = normal(1, 5, 6)
    changed = x.clone()
    changed[:, -1] += 1
    real = torch.ones(1, 5).bool()
    for bidirectional in (False, True):
        encoder = recurrent("gru", bidirectional=bidirectional)
        moved = (encoder(x, real).states - encoder(changed, real).states)[0, 0].abs().max()
        assert bool(moved > 1e-6) is bidirectional
