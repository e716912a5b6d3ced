"""What all toolkits get: Multi30k as token ids, in batches, and one model's trained weights."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from peers.entries import MODEL, SHAPE
from seq2see.api.record import write_text
from seq2see.bundle import folder as bundles
from seq2see.bundle.weights import weights
from seq2see.data.batches import Batches, BatchPlan
from seq2see.data.pairs import read_pairs
from seq2see.data.rows import Pair
from seq2see.data.store import Store, Tokenizers
from seq2see.data.tokenizers import SPECIALS, train_tokenizer
from seq2see.decode.shortlist import learn_shortlist
from seq2see.evaluate.metrics import Score, evaluate

TRAIN, DEV, TEST = "train.raw", "val.raw", "test_2016_flickr.raw"
BATCH_TOKENS = 4096
PIECES = SHAPE["vocabulary"] - len(SPECIALS)


@dataclass(frozen=True)
class Material:
    """The files that the runners read.

    Args:
        data: the folder of Multi30k, English and German.
        folder: where the files are written.
    """

    data: Path
    folder: Path

    def pairs(self, name: str) -> list[Pair]:
        """Reads the pairs of a part, from English to German."""
        return list(read_pairs(self._parallel(name)))

    def write_corpus(self, batch_tokens: int) -> dict[str, Any]:
        """Writes the training pairs as ids of one joint vocabulary, and returns what they are.

        Args:
            batch_tokens: a batch's budget, in padded tokens of its longer side.
        """
        pairs = self.pairs(TRAIN)
        texts = (text for pair in pairs for text in (pair.source, pair.target))
        shared = train_tokenizer("bpe", texts, PIECES)
        store = Store.write(self.folder / "store", pairs, Tokenizers(shared, shared))
        groups = Batches(store, BatchPlan(batch_tokens)).epoch(0)
        sides = {"source": store.source, "target": store.target}
        arrays: dict[str, Any] = {name: side.ids for name, side in sides.items()}
        arrays |= {f"{name}_offsets": side.offsets for name, side in sides.items()}
        np.savez(self.folder / "corpus.npz", **arrays, **flat("rows", groups))
        return {
            "pairs": len(store),
            "pieces": shared.size,
            "source_tokens": len(store.source.ids),
            "target_tokens": len(store.target.ids),
            "batches": len(groups),
            "batch_tokens": batch_tokens,
        }

    def train(self, out: Path, minutes: float, held_out: int = 0) -> None:
        """Trains the model that all decode with, unless it stands in `out`.

        Args:
            out: the folder of the model.
            minutes: of training.
            held_out: pairs that it is validated on; 0 for all there are.

        Raises:
            CalledProcessError: training failed; its own message stands above.
        """
        if out.exists() and bundles.is_begun(out):
            return
        dev = self.folder / "dev.jsonl"
        pairs = self.pairs(DEV)[: held_out or None]
        lines = (json.dumps({"source": pair.source, "target": pair.target}) for pair in pairs)
        write_text(dev, "\n".join(lines) + "\n")
        settings = [f"model.{name}={value}" for name, value in MODEL.items()]
        settings += ["data.source=bpe", "data.target=bpe", "data.joint=true", "data.copies=0"]
        settings += [f"data.vocabulary={PIECES}", f"train.batch_tokens={BATCH_TOKENS}"]
        command = [sys.executable, "-m", "seq2see", "train", self._parallel(TRAIN), *settings]
        command += ["--dev", str(dev), "--minutes", str(minutes), "--out", str(out)]
        subprocess.run(command, check=True)

    def write_test(self, model: Path, sentences: int) -> dict[str, Any]:
        """Writes test sources, the model's weights and a shortlist; returns what they are."""
        bundle = bundles.load(model)
        pairs = self.pairs(TEST)[:sentences]
        rows, _ = bundle.tokenizers.sources(pairs)
        np.savez(self.folder / "test.npz", **flat("source", rows))
        tensors = weights(bundle.network).items()
        arrays: dict[str, Any] = {name: tensor.numpy() for name, tensor in tensors}
        np.savez(self.folder / "weights.npz", **arrays)
        learnt = learn_shortlist(bundle.tokenizers, self.pairs(TRAIN))
        np.savez(self.folder / "shortlist.npz", frequent=learnt.frequent, likely=learnt.likely)
        return {"sentences": len(pairs), "source_tokens": sum(map(len, rows))}

    def bleu(self, model: Path, outputs: Sequence[Sequence[int]]) -> Score:
        """Scores outputs of the first test sources, as ids, on detokenised text."""
        tokenizer = bundles.load(model).tokenizers.target
        texts = [tokenizer.decode(row) for row in outputs]
        wanted = [[pair.target] for pair in self.pairs(TEST)[: len(texts)]]
        return evaluate(texts, wanted, ["bleu"], resamples=0)[0]

    def _parallel(self, name: str) -> str:
        return f"{self.data / name}.en,{self.data / name}.de"


def flat(name: str, rows: Iterable[Sequence[int] | npt.NDArray[Any]]) -> dict[str, Any]:
    """Lays rows of different lengths one behind the other, as the runners read them."""
    arrays = [np.asarray(row, np.int64) for row in rows]
    offsets = np.cumsum([0, *map(len, arrays)])
    return {name: np.concatenate(arrays), f"{name}_offsets": offsets}
