"""The studies' own measures, on models whose answer is known or found in another way."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from study_samples import PAIRS, SMALL, options, read, subject

from helpers import transformer_settings
from look.opened import TOKENIZERS, changed, network_of, searching
from seq2see.api.model import Model
from seq2see.data.pairs import Pair
from seq2see.decode.score import side_by_side
from seq2see.errors import DivergedError, TrainingError
from seq2see.look.forced import force
from seq2see.nn.network import Network, Sizes
from seq2see.nn.positions import sinusoids
from seq2see.study import alignments, codes, failures, modes, states, trial
from seq2see.study.drawn import untrained
from seq2see.study.material import Material, supply
from seq2see.study.readings import FAILED, Reading
from seq2see.study.results import paired
from seq2see.study.trial import Trial
from seq2see.study.verdict import allowed


def test_one_frequency_has_a_twin_after_355_turns_of_half_a_circle() -> None:
    """355 / 113 is nearly pi, so positions 0 and 710 differ by 6e-5 of an angle."""
    found = codes.nearest_twin(sinusoids(torch.arange(2000), 2))
    assert found == pytest.approx(2 * math.sin((710 - 226 * math.pi) / 2), rel=0.01)


def test_the_nearest_twin_is_that_of_all_pairs() -> None:
    points = torch.from_numpy(np.random.default_rng(0).normal(size=(40, 3)))
    apart = torch.cdist(points, points).fill_diagonal_(math.inf)
    assert codes.nearest_twin(points) == pytest.approx(float(apart.min()))


@pytest.mark.parametrize(
    ("positions", "known"), [("none", False), ("alibi", False), ("learned", True)]
)
def test_codes_are_compared_where_a_model_has_them(positions: str, known: bool) -> None:
    made = subject(transformer_settings(positions=positions, max_positions=6))
    if known:
        with torch.no_grad():
            made.model.network.source.positions.table.copy_(
                torch.tensor([0.0, 1, 3, 7, 15, 31])[:, None].expand(-1, 8)
            )
    found = read(list(codes.nearest_twins(9, (1,))(made)))
    assert found.get((codes.TWIN, "", None)) == (pytest.approx(math.sqrt(8)) if known else None)


def test_a_code_of_few_frequencies_is_compared_as_it_is() -> None:
    made = subject(transformer_settings(frequencies=1))
    found = read(list(codes.nearest_twins(2000, ())(made)))
    alone = codes.nearest_twin(sinusoids(torch.arange(2000), 2))
    assert found[codes.TWIN, "", None] == pytest.approx(alone)


def test_batch_statistics_that_are_those_of_the_data_leave_no_gap() -> None:
    """One batch of all pairs: with its own mean and variance as running ones, use is training."""
    settings = transformer_settings(norm="batch", decoder_norm="layer")
    made = subject(settings)
    [wide] = modes.gap(made)
    assert abs(wide.value) > 1e-3
    network = made.model.network
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.train()
            module.momentum = 1.0
    # A norm's statistics hold once those before it do, so a pass is spent on each.
    for _ in range(4):
        _pass_over(made.model)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.eval()
            count = sum(len(pair.source) + 1 for pair in PAIRS)
            module.running_var *= (count - 1) / count  # the running one is the unbiased one
    [found] = modes.gap(made)
    assert found.value == pytest.approx(0.0, abs=1e-5)
    [none] = modes.gap(subject(transformer_settings()))
    assert none.value == 0.0


def _pass_over(model: Model) -> None:
    forced = force(model.translator(), PAIRS)
    with torch.no_grad():
        for given in side_by_side(model.network, forced.sources, forced.targets, 64):
            model.network(given.source, given.real, given.read)


def test_first_gradients_are_slopes_of_the_loss() -> None:
    made = subject(transformer_settings(decoder_layers=2, d_ff=2))
    network = made.model.network.double()
    found = failures.gradients(made.model, made, pairs=3)
    weight = network.get_parameter("decoder.1.feedforward.narrow.weight")
    slopes = torch.zeros_like(weight)
    step = 1e-5
    with torch.no_grad():
        for i in range(weight.shape[0]):
            for j in range(weight.shape[1]):
                ends = []
                for sign in (1, -1):
                    weight[i, j] += sign * step
                    [loss] = modes.loss(made)
                    ends.append(loss.value)
                    weight[i, j] -= sign * step
                slopes[i, j] = (ends[0] - ends[1]) / (2 * step)
    assert found[1] == pytest.approx(float(slopes.norm()), rel=1e-4)
    assert len(found) == 2


def test_untrained_is_the_network_that_training_began_with() -> None:
    made = subject(transformer_settings())
    state = torch.get_rng_state()
    first, second = (untrained(made.model).network for _ in range(2))
    assert torch.equal(state, torch.get_rng_state())
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
    trained = made.model.network.output.weight
    assert not torch.allclose(first.output.weight, trained)


def test_an_encoder_that_adds_nothing_and_sees_one_letter_has_tokens_alike() -> None:
    settings = transformer_settings(positions="none", norm="none")
    still = changed(searching(settings), _silence_encoder)
    made = replace(subject(settings, network_of(still)), test=(Pair("aaaa", "a"),))
    found = read(list(states.collapse()(made)))
    # Four letters alike and an end mark: every level is that of the embedding.
    levels = [found[states.RESIDUE, "", at] for at in range(3)]
    assert levels == pytest.approx([levels[0]] * 3)
    assert found[states.RESIDUE, states.LAST, None] == pytest.approx(levels[0])


def _silence_encoder(network: Network) -> None:
    for name, parameter in network.named_parameters():
        if name.startswith("encoder.") and (".output." in name or ".narrow." in name):
            parameter.data.zero_()


def test_errors_are_those_of_the_links_found() -> None:
    made = subject(transformer_settings())
    found = [each.links for each in made.model.align(PAIRS, by="weight", head=0)]
    hits = sum(len(set(a) & set(b)) for a, b in zip(found, made.links, strict=True))
    total = sum(len(a) + len(b) for a, b in zip(found, made.links, strict=True))
    ways = {"one": {"by": "weight", "head": 0}}
    assert read(list(alignments.alignment_errors(ways)(made))) == {
        ("AER", "one", None): pytest.approx(1 - 2 * hits / total)
    }


def test_even_attention_is_put_in_the_place_of_every_look_at_the_source() -> None:
    """Outputs with even attention are those of scores that are all 0, and no others."""
    settings = transformer_settings(decoder_layers=2)
    torch.manual_seed(0)
    network = Network(settings, Sizes(TOKENIZERS.source.size, TOKENIZERS.source.size)).eval()
    for name, parameter in network.named_parameters():
        if "cross.query" in name or "cross.output" in name:
            parameter.data.mul_(20)
    blank = copy.deepcopy(network)
    for name, parameter in blank.named_parameters():
        if "cross.query" in name:
            parameter.data.zero_()
    sharp, even = subject(settings, network), subject(settings, blank)
    sources = [first + second * 3 for first in "abcdefgh" for second in "abcdefgh"]
    right = {}
    for name, made in (("even", even), ("sharp", sharp)):
        test = tuple(map(Pair, sources, made.model.translate(sources, beam=1)))
        [found] = alignments.exact_with_even_attention(replace(sharp, test=test))
        right[name] = found.value
    assert right["even"] == 100.0
    assert right["sharp"] < 50.0


def test_ranks_agree_where_the_values_are_alike() -> None:
    """A measure ranks the source as itself does, and one head's norms do so for one value."""
    made = subject(transformer_settings())
    found = read(list(alignments.rank_agreement("weight", ("weight", "gradient"))(made)))
    assert found["Kendall's tau", "weight, weight", None] == pytest.approx(1.0)
    assert found["Kendall's tau", "weight, gradient", None] < 1.0


@pytest.mark.parametrize(("may_fail", "error"), [(True, None), (False, DivergedError)])
def test_a_run_that_diverges_counts_as_failed_where_that_is_the_question(
    may_fail: bool, error: type[Exception] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverge(*_: object) -> Model:
        raise DivergedError("the loss is nan")

    monkeypatch.setattr(trial, "trained", diverge)
    study = replace(SMALL, may_fail=may_fail)
    one = Trial(study, study.conditions()[0], 1, options(tmp_path))
    if error is not None:
        with pytest.raises(error):
            one.run()
        return
    assert one.run().readings == (Reading(FAILED, 1.0),)
    assert one.run().readings == (Reading(FAILED, 1.0),)  # as it was kept


def test_a_full_disk_is_no_failed_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Model:
        raise TrainingError("the disk is full")

    monkeypatch.setattr(trial, "trained", refuse)
    study = replace(SMALL, may_fail=True)
    with pytest.raises(TrainingError, match="disk"):
        Trial(study, study.conditions()[0], 1, options(tmp_path)).run()


def test_links_of_the_training_pairs_are_written_line_by_line(tmp_path: Path) -> None:
    found = supply(Material("sort", train=5, dev=2, test=2), {}, 1, None, tmp_path / "one")
    lines = Path(found.train_links).read_text(encoding="utf-8").splitlines()
    rows = Path(found.train).read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(rows) == 5
    for line, row in zip(lines, rows, strict=True):
        text = json.loads(row)
        source, target = text["source"].split(), text["target"].split()
        links = [tuple(map(int, link.split("-"))) for link in line.split()]
        assert all(source[i] == target[j] for i, j in links)
        assert len(links) == len(target)


def test_a_loss_that_is_allowed_for_is_added() -> None:
    found = allowed(paired([(90.0, 88.0), (90.0, 87.0)]), 5.0)
    assert (found.value, found.high - found.low) == pytest.approx(
        (2.5, paired([(0.0, 0.0), (0.0, -1.0)]).high - paired([(0.0, 0.0), (0.0, -1.0)]).low)
    )


def test_equal_differences_are_sure_whatever_the_rounding() -> None:
    found = paired([(0.05, 0.6), (0.06, 0.61), (0.05, 0.6)])
    assert (found.low, found.high, found.p_value) == (found.value, found.value, 0.0)
