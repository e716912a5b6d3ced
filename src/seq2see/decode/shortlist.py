"""From pairs of texts to a shortlist."""

from __future__ import annotations

from collections.abc import Sequence

from seq2see.data.rows import Pair
from seq2see.data.shortlist import Shortlist
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
    sources, unknowns = tokenizers.sources(pairs)
    targets = tokenizers.targets([pair.target for pair in pairs], unknowns)
    return Shortlist.learn(
        (sources, targets),
        sizes,
        unwritable.marks,
        unwritable.never,
        frequent=frequent,
        likely=likely,
    )
