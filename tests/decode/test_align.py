from __future__ import annotations

import threading

import numpy as np
import torch

from seq2see.data.tokenizers import END, START
from seq2see.decode.align import align, last_cross
from seq2see.decode.ensemble import Ensemble
from seq2see.nn.network import Network

SOURCES = [[5, 6, END], [8, 9, 10, 11, 4, END]]
TARGETS = [[7, 8, 9, END], [4, END]]


def test_rows_belong_to_tokens_columns_to_source_ids_and_rows_sum_to_1(untaught: Network) -> None:
    patterns = align(untaught, SOURCES, TARGETS)
    if last_cross(untaught) is None:
        assert patterns == [None, None]
        return
    assert [pattern.shape for pattern in patterns] == [(4, 3), (2, 6)]
    for pattern in patterns:
        np.testing.assert_allclose(pattern.sum(1), 1.0, atol=1e-5)


@torch.inference_mode()
def test_it_is_the_last_layers_mean_over_heads(make) -> None:
    network, seen = make("transformer"), []
    hook = dict(network.named_modules())["decoder.1.cross.pattern"].register_forward_hook(
        lambda _module, _inputs, value: seen.append(value)
    )
    source = torch.tensor(SOURCES[:1])
    network(source, source != 0, torch.tensor([[START, *TARGETS[0][:-1]]]))
    hook.remove()
    (pattern,) = align(network, SOURCES[:1], TARGETS[:1])
    np.testing.assert_allclose(pattern, seen[0][0].mean(0).numpy(), atol=1e-6)


def test_no_hook_is_left_behind(make) -> None:
    network = make("bilstm")
    align(network, SOURCES, TARGETS)
    assert not last_cross(network).watched


def test_an_ensemble_is_the_mean_of_those_that_look(make) -> None:
    looking = [make("transformer"), make("bilstm")]
    first, second = (align(one, SOURCES, TARGETS)[1] for one in looking)
    mean = align(Ensemble([*looking, make("rnn")]), SOURCES, TARGETS)[1]
    np.testing.assert_allclose(mean, (first + second) / 2, atol=1e-6)


def test_what_another_thread_runs_meanwhile_does_not_get_in(make) -> None:
    network = make("bilstm")
    alone = align(network, SOURCES[:1], TARGETS[:1])
    entered = threading.Event()

    def interfere(*_: object) -> None:
        if threading.current_thread() is threading.main_thread() and not entered.is_set():
            entered.set()
            other = threading.Thread(target=network, args=(source, source != 0, source))
            other.start()
            other.join()

    source = torch.tensor(SOURCES[1:])
    hook = network.encoder.register_forward_hook(interfere)
    (pattern,) = align(network, SOURCES[:1], TARGETS[:1])
    hook.remove()
    assert entered.is_set()
    np.testing.assert_allclose(pattern, alone[0], atol=1e-6)
