"""Guided heads: the loss is the equation's, it pulls, it lets go, and costs nothing elsewhere."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from helpers import network, transformer_settings
from seq2see.data.batches import Batch, pad_right
from seq2see.data.tokenizers import END, START
from seq2see.errors import TrainingError
from seq2see.nn.network import Network, Sizes
from seq2see.nn.plan import HeadRole
from seq2see.train.distributed import Team
from seq2see.train.guide import Guide
from seq2see.train.optimizer import Optimizer
from seq2see.train.settings import TrainSettings
from seq2see.train.update import Updater

SELF, CROSS = "encoder.0.self", "decoder.0.cross"


def batch(*texts: list[int], links: bool = False) -> Batch:
    """Pairs of a text and itself; each token is linked to itself where asked for."""
    rows = [np.array([*text, END], np.int32) for text in texts]
    source, wanted = pad_right(rows), pad_right(rows)
    target = torch.cat([torch.full((len(rows), 1), START), wanted[:, :-1]], dim=1)
    given = [[row, i, i] for row, text in enumerate(texts) for i in range(len(text))]
    tokens = sum(map(len, rows))
    found = torch.tensor(given) if links else None
    return Batch(source, source != 0, target, wanted, tokens, np.arange(len(rows)), found)


TEXTS = ([5, 6, 7, 8], [8, 6], [9, 10, 5])
COPY = batch(*TEXTS, links=True)


def guided(at: str, role: str, **options: Any) -> HeadRole:
    return HeadRole(at, 0, role, "guided", **options)


def loss_of(net: Network, given: Batch) -> float:
    lesson = Guide(net).lesson([given], 1)
    assert lesson is not None
    with lesson.watching() as patterns:
        net(given.source, given.real, given.target)
    return lesson.loss(patterns, given).item()


def pattern_of(net: Network, at: str) -> torch.Tensor:
    seen: list[torch.Tensor] = []
    handle = net.get_submodule(f"{at}.pattern").register_forward_hook(
        lambda _tap, _args, value: seen.append(value.detach())
    )
    net(COPY.source, COPY.real, COPY.target)
    handle.remove()
    return seen[0][:, 0]


def test_the_loss_of_a_role_by_hand() -> None:
    """The first query of each row looks nowhere, and is left alone."""
    net = network(transformer_settings(roles=(guided(SELF, "previous", weight=0.5),)))
    pattern = pattern_of(net, SELF)
    queries = [(row, i) for row, n in enumerate((5, 3, 4)) for i in range(1, n)]
    mean = sum(math.log(float(pattern[row, i, i - 1])) for row, i in queries) / len(queries)
    assert loss_of(net, COPY) == pytest.approx(-0.5 * mean, rel=1e-5)


def test_the_loss_of_a_soft_role_is_relative_to_its_largest_weight() -> None:
    net = network(
        transformer_settings(roles=(guided("decoder.0.self", "gaussian(1)", weight=1.0),))
    )
    pattern, total, count = pattern_of(net, "decoder.0.self"), 0.0, 0
    for row, n in enumerate((5, 3, 4)):
        for i in range(n):
            role = [math.exp(-((j - i - 1) ** 2) / 2) for j in range(i + 1)]
            mass = sum(float(pattern[row, i, j]) * role[j] for j in range(i + 1)) / max(role)
            total, count = total - math.log(mass), count + 1
    assert loss_of(net, COPY) == pytest.approx(total / count, rel=1e-5)


@pytest.mark.parametrize("shift", [False, True])
def test_the_loss_of_links_by_hand(shift: bool) -> None:
    net = network(transformer_settings(roles=(guided(CROSS, "links", weight=2.0, shift=shift),)))
    twice = torch.cat([COPY.links, torch.tensor([[0, 1, 3]])])  # token 1 comes from 1 and 3
    given = replace(COPY, links=twice)
    pattern = pattern_of(net, CROSS).log()
    each = [float(pattern[row, i + shift, i]) for row, i, _ in COPY.links.tolist()]
    each[1] = (each[1] + float(pattern[0, 1 + shift, 3])) / 2
    assert loss_of(net, given) == pytest.approx(-2 * sum(each) / len(each), rel=1e-5)


def test_links_are_needed_where_a_head_is_guided_by_them() -> None:
    net = network(transformer_settings(roles=(guided(CROSS, "links"),)))
    with pytest.raises(TrainingError, match=r"data\.links"):
        Guide(net).lesson([replace(COPY, links=None)], 1)


def test_the_update_does_not_change_with_the_batches_that_share_it() -> None:
    roles = (guided(SELF, "next", weight=0.5), guided(CROSS, "links", weight=0.5))
    settings, steps = TrainSettings(clip=0.0), []
    for group in ([COPY], [batch(text, links=True) for text in TEXTS]):
        torch.manual_seed(1)
        net = Network(transformer_settings(roles=roles, dropout=0.0), Sizes(11, 11)).train()
        steps.append(Updater(net, Optimizer(net, settings), settings, Team()).update(group, 1e-3))
    together, shared = steps
    assert shared.guided == pytest.approx(together.guided, rel=1e-5)
    assert shared.norm == pytest.approx(together.norm, rel=1e-4)
    assert together.guided > 0.5


def trained(role: HeadRole, steps: int) -> list[float]:
    """What guidance adds to the loss of each update."""
    torch.manual_seed(2)
    net = Network(transformer_settings(d_model=16, roles=(role,), dropout=0.0), Sizes(11, 11))
    settings = TrainSettings()
    updater = Updater(net.train(), Optimizer(net, settings), settings, Team())
    return [updater.update([COPY], 0.01, number).guided for number in range(1, steps + 1)]


def test_a_guided_head_is_pulled_and_let_go() -> None:
    """0.3 times the mean of -ln mass: from a mass of about 1/4 to more than 0.9 in 60 steps."""
    pulled = trained(guided(SELF, "previous", weight=0.3), 60)
    assert pulled[0] > 0.3 * math.log(2.5)
    assert pulled[-1] < -0.3 * math.log(0.9)
    released = trained(guided(SELF, "previous", weight=0.3, until=20), 30)
    assert released[:20] == pulled[:20]
    assert released[20:] == [0.0] * 10


def test_links_teach_a_head_to_align() -> None:
    pulled = trained(guided(CROSS, "links", weight=0.3), 80)
    assert pulled[-1] < -0.3 * math.log(0.9) < pulled[0]


def test_without_guided_heads_nothing_is_watched() -> None:
    net = network(transformer_settings(roles=(HeadRole(SELF, 0, "previous"),)))
    assert Guide(net).lesson([COPY], 1) is None
    let_go = network(transformer_settings(roles=(guided(SELF, "previous", until=5),)))
    assert Guide(let_go).lesson([COPY], 5) is not None
    assert Guide(let_go).lesson([COPY], 6) is None
