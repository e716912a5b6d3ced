"""How large a model, and how long a run, for how much data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seq2see.recipe.survey import Survey

if TYPE_CHECKING:
    from seq2see.recipe.choose import Chooser


def vocabulary(survey: Survey) -> int:
    """Returns how many subword pieces suit a corpus: each should be seen often."""
    for pairs, size in ((5_000, 2_000), (15_000, 4_000), (100_000, 8_000), (1_000_000, 16_000)):
        if survey.pairs <= pairs:
            return size
    return 32_000


def choose_model(chooser: Chooser, survey: Survey) -> None:
    """Sizes the network by the number of pairs."""
    why = f"{survey.pairs:,} pairs"
    kind = chooser.fill(
        "model", "kind", "transformer", "scores best on every kind of data measured"
    )
    small = survey.pairs < 20_000
    sentences = "bpe" in (chooser.tree["data"]["source"], chooser.tree["data"]["target"])
    joint = chooser.tree["data"]["joint"]
    chooser.fill("model", "tied", "all" if joint else "decoder", "as many matrices as vocabularies")
    dropout = 0.3 if small or (sentences and survey.pairs < 200_000) else 0.1
    chooser.fill("model", "dropout", dropout, why)
    if kind != "transformer":
        width = 256 if small else 384
        chooser.fill("model", "d_embedding", width, why)
        chooser.fill("model", "d_hidden", width, why)
        chooser.fill("model", "encoder_layers", 1 if small else 2, why)
        chooser.fill("model", "decoder_layers", 1 if small else 2, why)
        return
    wide = 256 if survey.pairs >= 20_000 else 128
    chooser.fill("model", "d_model", wide, why)
    chooser.fill("model", "d_ff", 4 * wide, why)
    chooser.fill("model", "heads", 4, why)
    chooser.fill("model", "encoder_layers", 3, why)
    chooser.fill("model", "decoder_layers", 3, why)


def choose_training(chooser: Chooser, survey: Survey) -> None:
    """Sets batch, learning rate and length of the run."""
    why = f"{survey.pairs:,} pairs"
    train = chooser.tree.setdefault("train", {})
    sentences = "bpe" in (chooser.tree["data"]["source"], chooser.tree["data"]["target"])
    chooser.fill("train", "batch_tokens", 4096 if sentences else 2048, why)
    chooser.fill("train", "rate", 0.002, why)
    if not train.get("minutes"):
        steps = 4000 if survey.pairs < 20_000 else 12_000
        chooser.fill("train", "steps", steps, why)
