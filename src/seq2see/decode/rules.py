"""Which tokens may come next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from seq2see.data.tokenizers import PAD, SPECIALS, START, UNKNOWN, Tokenizer
from seq2see.decode.request import FREE, Group

NEVER = -torch.inf


@dataclass(frozen=True)
class Unwritable:
    """The ids that are not text.

    Args:
        never: ids that no target may hold.
        marks: how many copy marks there are; only those that stand for something may be written.
    """

    never: tuple[int, ...] = (PAD, UNKNOWN, START)
    marks: int = 0

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Unwritable:
        """Finds them in a vocabulary: special marks, features, the unknown piece under both ids."""
        layout = tokenizer.layout
        features = range(len(SPECIALS) + layout.copies, layout.first_piece)
        inner = tokenizer.core.token_to_id(SPECIALS[UNKNOWN])
        unknown = () if inner is None else (layout.first_piece + inner,)
        return cls((*cls.never, *features, *unknown), layout.copies)


@dataclass(frozen=True)
class Rules:
    """Forbids what no target may hold, forces prefixes, and blocks repeated n-grams.

    A forced token is allowed even where it is forbidden or repeats.

    Args:
        group: the requests.
        unwritable: the ids that are not text.
        no_repeat: length of the n-grams that may stand only once; 0 for none.
    """

    group: Group
    unwritable: Unwritable
    no_repeat: int

    def apply(
        self,
        logits: Float[Tensor, "hypothesis vocabulary"],
        rows: Int[Tensor, " hypothesis"],
        tokens: Int[Tensor, "hypothesis step"],
    ) -> None:
        """Sets the logits of tokens that may not come next to minus infinity, in place.

        Args:
            logits: scores of the next token.
            rows: the row of the group each hypothesis belongs to.
            tokens: what each hypothesis holds, start mark first.
        """
        step, prefix = tokens.shape[1] - 1, self.group.prefix
        kept: Tensor | None = None
        if step < prefix.shape[1]:  # some row may still have a token forced
            forced = prefix[rows, step]
            kept = logits.gather(1, forced.clamp(min=0)[:, None])
        logits.index_fill_(1, self._never, NEVER)
        if marks := self.unwritable.marks:
            empty = torch.arange(marks, device=logits.device) >= self.group.copies[rows, None]
            logits[:, len(SPECIALS) : len(SPECIALS) + marks].masked_fill_(empty, NEVER)
        if self.no_repeat and tokens.shape[1] > self.no_repeat:
            block_repeats(logits, tokens[:, 1:], self.no_repeat)
        if kept is not None:
            at = (forced != FREE).nonzero()[:, 0]
            logits[at] = NEVER
            logits[at, forced[at]] = kept[at, 0]

    @cached_property
    def _never(self) -> Tensor:
        never = list(self.unwritable.never)
        return torch.tensor(never, dtype=torch.int64, device=self.group.prefix.device)


def block_repeats(
    logits: Float[Tensor, "hypothesis vocabulary"], tokens: Int[Tensor, "hypothesis step"], n: int
) -> None:
    """Forbids every token that would complete an n-gram for the second time, in place.

    Source: Paulus et al. 2018, section 2.5 (for n = 3).
    """
    grams = tokens.unfold(1, n, 1)  # hypothesis gram n
    context = tokens[:, None, tokens.shape[1] - (n - 1) :]
    seen = (grams[:, :, :-1] == context).all(-1)
    hypothesis, gram = seen.nonzero(as_tuple=True)
    logits[hypothesis, grams[hypothesis, gram, -1]] = NEVER
