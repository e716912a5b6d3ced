"""From pairs of texts to a shortlist."""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.data.rows import Pair
from seq2see.data.shortlist import Rows, Shortlist
from seq2see.data.store import Tokenizers
from seq2see.decode.rules import Unwritable
from seq2see.errors import ConfigError

FREQUENT, LIKELY = 1000, 5
"""Most frequent target tokens, and more for each source token, unless others are asked for."""


def learn_shortlist(
    tokenizers: Tokenizers, pairs: Sequence[Pair], frequent: int = FREQUENT, likely: int = LIKELY
) -> Shortlist:
    """Learns a shortlist from pairs; see `Shortlist.learn`.

    Raises:
        ConfigError: so many frequent tokens are wanted that nothing would be left out.
    """
    sizes = (tokenizers.source.size, tokenizers.target.size)
    unwritable = Unwritable.of(tokenizers.target)
    if frequent >= sizes[1] - unwritable.marks - len(unwritable.never):
        raise ConfigError(
            f"{frequent:,} tokens for every source, out of {sizes[1]:,} in all",
            expected="a shortlist that leaves some out",
            where="frequent",
            mend="Set it lower, or search without a shortlist: there is little to be saved",
        )
    return Shortlist.learn(
        _ids(tokenizers, pairs),
        sizes,
        unwritable.marks,
        unwritable.never,
        frequent=frequent,
        likely=likely,
    )


def covered(shortlist: Shortlist, tokenizers: Tokenizers, pairs: Sequence[Pair]) -> float:
    """Returns the share of target tokens that are on the shortlist of their source."""
    return shortlist.covers(_ids(tokenizers, pairs))


def _ids(tokenizers: Tokenizers, pairs: Sequence[Pair]) -> tuple[Rows, Rows]:
    sources, unknowns = tokenizers.sources(pairs)
    return sources, tokenizers.targets([pair.target for pair in pairs], unknowns)
