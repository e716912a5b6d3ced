"""How large a model, and how long a run, for how much data.

Measured against an alternative so far: for a few thousand pairs of words, the architecture, the
kind of attention and the dropout (pronunciation, two languages); for a hundred thousand, the
architecture, the optimizer, the recurrent encoder's layers with the dropout, and what suits few
minutes; for sentences, the optimizer, and the dropout for few minutes.
The other figures are starting points; what they reach is recorded under benchmarks/results.
"""

from __future__ import annotations

from dataclasses import dataclass

from seq2see.recipe.chooser import Chooser
from seq2see.recipe.draft import architecture
from seq2see.recipe.survey import SideSurvey, Survey

_PIECES_A_WORD = 1.3
"""Subword pieces a word takes on average."""

_WARMUP = 400
"""Updates of warm-up where the run is long enough: the default of the settings."""

_FILLED = 0.9
"""The share of a batch's token budget that real tokens take."""


@dataclass(frozen=True)
class Regime:
    """What suits one architecture on one size and kind of data.

    Args:
        width: d_model, or d_hidden of a recurrent network.
        layers: layers of the encoder.
        dropout: the dropout rate.
        batch_tokens: budget of a batch.
        rate: the highest learning rate.
        passes: how many times every pair is seen, if `updates` allows.
        decoder_layers: layers of the decoder; 0: as many as the encoder's.
        positions: how a Transformer's tokens know where they stand.
        updates: the most there are; long texts fill more batches, and would take longer for it.
        minutes: of training for each hundred thousand pairs up to which it applies.
    """

    width: int
    layers: int
    dropout: float
    batch_tokens: int
    rate: float
    passes: float
    decoder_layers: int = 0
    positions: str = "sinusoidal"
    updates: float = float("inf")
    minutes: float = float("inf")


@dataclass(frozen=True)
class Class:
    """Data of one size and kind.

    Args:
        name: what the data are, for the reasons given.
        below: pairs from which on the next class applies.
        best: short name of the architecture that is chosen.
        recurrent: what suits recurrent networks, that for the fewest minutes first.
        transformer: what suits Transformers, likewise.
    """

    name: str
    below: float
    best: str
    recurrent: tuple[Regime, ...]
    transformer: tuple[Regime, ...]


# What is for few minutes was held against what is for many. The figures stand under
# benchmarks/results in `cmudict-tried.json` and `multi30k-raw-tried.json`; those of the Transformer
# for words were not recorded. Where the two cross is a guess: of recurrent networks both reach the
# same in 20 minutes.

WORDS = (
    Class(
        "words",
        5_000,
        "bilstm+additive",
        (Regime(256, 1, 0.3, 1024, 0.002, 60),),
        (Regime(128, 3, 0.3, 1024, 0.002, 80),),
    ),
    Class(
        "words",
        20_000,
        "bilstm+additive",
        (Regime(256, 1, 0.3, 1024, 0.002, 40, updates=2_700),),
        (Regime(128, 3, 0.3, 1024, 0.002, 60),),
    ),
    Class(
        "words",
        1_000_000,
        "bilstm+additive",
        (
            Regime(256, 1, 0.2, 1024, 0.002, 16, minutes=5),
            Regime(384, 1, 0.2, 2048, 0.0015, 16),
        ),
        (
            Regime(128, 3, 0.1, 1024, 0.003, 6, positions="rotary", minutes=15),
            Regime(192, 4, 0.2, 1536, 0.0025, 20, decoder_layers=2, positions="rotary"),
        ),
    ),
    Class(
        "words",
        float("inf"),
        "transformer",
        (Regime(512, 2, 0.1, 4096, 0.001, 5),),
        (Regime(256, 4, 0.1, 4096, 0.001, 5),),
    ),
)
SENTENCES = (
    Class(
        "sentences",
        200_000,
        "transformer",
        (Regime(512, 1, 0.3, 4096, 0.002, 20),),
        (
            Regime(128, 4, 0.1, 2048, 0.003, 36, minutes=25),
            Regime(128, 4, 0.2, 2048, 0.003, 36, minutes=100),
            Regime(128, 4, 0.3, 4096, 0.004, 36),
        ),
    ),
    Class(
        "sentences",
        float("inf"),
        "transformer",
        (Regime(512, 2, 0.2, 8192, 0.001, 8),),
        (Regime(512, 6, 0.1, 8192, 0.001, 10),),
    ),
)


def classify(survey: Survey, *, sentences: bool) -> Class:
    """Chooses by kind of text and number of pairs."""
    classes = SENTENCES if sentences else WORDS
    return next(one for one in classes if survey.pairs < one.below)


def vocabulary(survey: Survey) -> int:
    """Returns how many subword pieces suit a corpus: each should be seen often."""
    for pairs, size in ((5_000, 2_000), (15_000, 4_000), (100_000, 8_000), (1_000_000, 16_000)):
        if survey.pairs <= pairs:
            return size
    return 32_000


def choose_model(chooser: Chooser, survey: Survey) -> None:
    """Chooses the architecture and sizes the network."""
    found = classify(survey, sentences=_sentences(chooser))
    why = f"{survey.pairs:,} pairs of {found.name}"
    model = chooser.tree.setdefault("model", {})
    if "kind" not in model and model.get("roles"):
        chooser.fill("model", "kind", "transformer", "its heads are given roles")
    if "kind" not in model:
        for name, value in architecture(found.best).items():
            chooser.fill("model", name, value, f"the default for {why}")
    suits, why = _regime(chooser, found, survey)
    joint = chooser.tree["data"]["joint"]
    chooser.fill("model", "tied", "all" if joint else "decoder", "as many tables as vocabularies")
    chooser.fill("model", "dropout", suits.dropout, why)
    chooser.fill("model", "encoder_layers", suits.layers, why)
    chooser.fill("model", "decoder_layers", suits.decoder_layers or suits.layers, why)
    if chooser.tree["model"]["kind"] != "transformer":
        chooser.fill("model", "d_embedding", 256, why)
        chooser.fill("model", "d_hidden", suits.width, why)
        return
    chooser.fill("model", "positions", suits.positions, why)
    width = chooser.fill("model", "d_model", suits.width, why)
    chooser.fill("model", "d_ff", 4 * width, why)
    chooser.fill("model", "heads", max(4, width // 64), why)


def choose_training(chooser: Chooser, survey: Survey) -> None:
    """Sets batch, learning rate and length of the run."""
    found = classify(survey, sentences=_sentences(chooser))
    suits, why = _regime(chooser, found, survey)
    train, data = chooser.tree.setdefault("train", {}), chooser.tree["data"]
    tokens = chooser.fill("train", "batch_tokens", suits.batch_tokens, why)
    chooser.fill("train", "rate", suits.rate, why)
    chooser.fill("train", "optimizer", *_rule(chooser))
    if not train.get("minutes"):
        sides = ((survey.source, data["source"]), (survey.target, data["target"]))
        longer = max(_pieces(side, kind) for side, kind in sides)
        each = (longer + 1) * survey.pairs / (tokens * _FILLED)
        pass_ = each / train.get("accumulate", 1)
        steps = max(200, round(min(suits.passes * pass_, suits.updates) / 100) * 100)
        steps = chooser.fill("train", "steps", steps, f"{steps / pass_:.0f} passes over {why}")
        if steps < 10 * _WARMUP:
            chooser.fill("train", "warmup", steps // 10, f"a tenth of {steps:,} steps")


def _rule(chooser: Chooser) -> tuple[str, str]:
    if chooser.tree["model"]["kind"] == "transformer":
        return "muon", "a Transformer learns more from each update than by adamw"
    return "adamw", "muon makes the updates of a recurrent network slower and hardly better"


def _regime(chooser: Chooser, found: Class, survey: Survey) -> tuple[Regime, str]:
    """Finds what suits a class of data in the minutes there are, and says what decided it."""
    transformer = chooser.tree["model"]["kind"] == "transformer"
    regimes = found.transformer if transformer else found.recurrent
    why = f"{survey.pairs:,} pairs of {found.name}"
    minutes = chooser.tree.get("train", {}).get("minutes", 0)
    if not minutes or len(regimes) == 1:
        return regimes[-1], why
    suits = next(one for one in regimes if minutes * 100_000 <= one.minutes * survey.pairs)
    return suits, f"{why} and {minutes:g} minutes"


def _sentences(chooser: Chooser) -> bool:
    data = chooser.tree["data"]
    return bool({"bpe", "unigram"} & {data["source"], data["target"]})


def _pieces(side: SideSurvey, kind: str) -> float:
    if kind in ("bpe", "unigram"):
        return side.words * _PIECES_A_WORD
    return side.words if kind == "words" else side.characters
