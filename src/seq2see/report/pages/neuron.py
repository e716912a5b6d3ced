"""Feed-forward neurons: what drives them, and which tokens they speak for."""

from __future__ import annotations

from seq2see.look.names import sites
from seq2see.look.neurons import Neurons, neurons
from seq2see.report.numbers import counted, fixed, percent, whole
from seq2see.report.subject import Subject
from seq2see.report.view import Absent, Figure, Page, Pieces, table

TITLE = "Neurons"
SHOWN = 12
"""Neurons of a layer that are listed."""
TRIGGERS = 6
TOKENS = 5


def page(subject: Subject) -> Page | Absent:
    """Makes the page."""
    layers = feedforwards(subject)
    if not layers or not subject.averaged:
        return Absent(TITLE, "The network has no feed-forward layer.")
    found = [neurons(subject.translator, at, subject.averaged, keep=TRIGGERS) for at in layers]
    return Page(
        "neurons",
        TITLE,
        "What are the feed-forward layers for?",
        _answer(found),
        "The tokens that drive a neuron most say nothing of the many inputs that drive it a little;"
        " and what it promotes still passes the layers above it.",
        (_layers(found), *(_listed(one) for one in reversed(found) if one.at.startswith("dec"))),
    )


def feedforwards(subject: Subject) -> list[str]:
    """Names the feed-forward layers, in the network's order."""
    end = ".around_feedforward.written"
    names = (name for name in sites(subject.network) if name.endswith(end))
    return [name.replace("around_feedforward.written", "feedforward") for name in names]


def silent(found: Neurons) -> int:
    """Counts the neurons that give more than 0 at no position."""
    return int((found.active == 0).sum())


def _answer(found: list[Neurons]) -> str:
    total = sum(map(len, found))
    active = sum(float(one.active.sum()) for one in found) / total
    idle = sum(map(silent, found))
    return (
        f"Of {counted(total, 'neuron')} in {counted(len(found), 'layer')}, {percent(active)} are"
        f" active at a position on average, and {whole(idle)} at none of the positions looked at."
    )


def _layers(found: list[Neurons]) -> Figure:
    rows = [
        (one.at, whole(len(one)), percent(float(one.active.mean()), 1), whole(silent(one)),
         whole(one.positions))
        for one in found
    ]  # fmt: skip
    heads = ("layer", "neurons", "active", "never active", "positions")
    return Figure(
        "neuron-layers",
        "How many neurons are active",
        f"Numbers of {counted(len(rows), 'layer')}.",
        table=table(heads, rows, heads[1:]),
        caption="Active: gives more than 0.",
        open=True,
    )


def strongest(found: Neurons) -> list[int]:
    """Lists the neurons with the largest values, the largest first."""
    tops = [(found.triggers(i)[0].value, i) for i in range(len(found))]
    return [i for _, i in sorted(tops, key=lambda one: (-one[0], one[1]))[:SHOWN]]


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{fixed(value)}"


def _listed(found: Neurons) -> Figure:
    rows = []
    for i in strongest(found):
        triggers = found.triggers(i)
        driving = Pieces(tuple((token, "") for token in dict.fromkeys(t.token for t in triggers)))
        promoted = Pieces(tuple((p.token, _signed(p.value)) for p in found.promoted(i, TOKENS)))
        active = percent(float(found.active[i]), 1)
        rows.append((str(i), driving, fixed(triggers[0].value), active, promoted))
    heads = ("neuron", "driven most by", "largest value", "active", "promotes")
    return Figure(
        f"neurons-{found.at.replace('.', '-')}",
        f"Strongest neurons of {found.at}",
        f"{counted(len(rows), 'neuron')} with what drives and what they promote.",
        table=table(heads, rows, (heads[0], *heads[2:4])),
        caption="Driven most by: the tokens read where it gives most. Promotes: the tokens whose"
        " logits it raises most, and by how much for each 1 that it gives, before the final norm.",
        open=found.at == "decoder.0.feedforward",
    )
