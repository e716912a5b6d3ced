"""What is timed is the work itself: real updates, and searches that write every token."""

from __future__ import annotations

import pytest
import torch
from bench_samples import SMALL, small

from seq2see.bench import decoding, training
from seq2see.bench.flops import Load, of_training
from seq2see.decode.options import SearchOptions
from seq2see.nn.network import Network
from seq2see.nn.precision import Arithmetic
from seq2see.train.settings import Precision
from seq2see.train.update import Updater


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_update_learns_from_the_typical_batch(
    name: str, precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Updater] = []
    real = Updater.update

    def watched(self: Updater, *arguments: object) -> object:
        made.append(self)
        return real(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Updater, "update", watched)
    one = small(name)
    work = training.updating(one, precision)
    tokens = sum(one.batches.store.target.lengths[one.typical])
    assert work() == tokens == training.batch_of(one).tokens
    [updater] = made
    before = one.network(precision)
    assert {p.dtype for p in updater.network.parameters()} == {getattr(torch, precision)}
    masters = updater.optimizer.masters
    changed = [not torch.equal(masters[n], p.float()) for n, p in before.named_parameters()]
    assert all(changed)


def test_the_operations_are_those_of_the_batch() -> None:
    one = small("tiny")
    load = Load.of(training.batch_of(one))
    assert training.operations_of(one) == of_training(one.settings, one.sizes, load)
    assert load.target == training.batch_of(one).tokens


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(
    ("beam", "precision"), [(1, "float32"), (5, "float32"), (5, "bfloat16"), (1, "int8")]
)
def test_every_output_is_as_long_as_its_pairs_target(
    name: str, beam: int, precision: Arithmetic, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[list[int]] = []
    real = decoding.generate

    def watched(
        network: Network, requests: object, options: SearchOptions, *rest: object
    ) -> object:
        assert options == SearchOptions(beam=beam)
        assert not network.training
        outputs = real(network, requests, options, *rest)  # type: ignore[arg-type]
        found.append([len(each[0].ids) for each in outputs])
        return outputs

    monkeypatch.setattr(decoding, "generate", watched)
    one = small(name)
    every = decoding.SENTENCES * torch.get_num_threads()
    assert decoding.searching(one, beam, precision)() == every
    store = one.batches.store
    assert found == [store.target.lengths[:every].tolist()]
    assert [len(r.source) for r in decoding.requests(one, 3)] == store.source.lengths[:3].tolist()
