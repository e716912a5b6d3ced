"""How well alignments agree with known links, and with each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from seq2see.data.links import Gold, Link
from seq2see.errors import DataError


def aer(
    found: Sequence[Iterable[Link]],
    sure: Sequence[Iterable[Link]],
    possible: Sequence[Iterable[Link]] | None = None,
) -> float:
    r"""Returns the alignment error rate over all pairs together: 0 is best, 1 is worst.

    $$1 - (|A \cap S| + |A \cap P|) / (|A| + |S|)$$

    with A found, S sure and P possible links; sure ones count as possible. Source: Och and Ney
    2003, section 6.

    Args:
        found: links of each pair.
        sure: links that each has to have.
        possible: links that each may have; None where the sure ones are all.

    Raises:
        DataError: the three are not of as many pairs, or hold no link that could be judged.
    """
    possible = sure if possible is None else possible
    if not len(found) == len(sure) == len(possible):
        raise DataError(
            f"links of {len(found)} pairs found, {len(sure)} sure and {len(possible)} possible",
            expected="as many of each",
            where="aer",
        )
    hits = total = 0
    for each in zip(found, sure, possible, strict=True):
        a, s, p = map(set, each)
        hits += len(a & s) + len(a & (p | s))
        total += len(a) + len(s)
    if not total:
        raise DataError("no link found and none sure", where="aer", mend="Give pairs with links")
    return 1 - hits / total


def aer_against(found: Sequence[Iterable[Link]], gold: Sequence[Gold]) -> float:
    """Returns the alignment error rate against links read from a file; see `aer`."""
    return aer(found, [one.sure for one in gold], [one.possible for one in gold])


def kendall(
    first: Float[Tensor, "target source"], second: Float[Tensor, "rows columns"]
) -> Float[Tensor, " target"]:
    """Compares the order in which two matrices put the sources of each target: Kendall's tau.

    1 is the same order, -1 the reverse; ties are allowed for (tau-b). Source: Kendall 1945; for
    attention: Jain and Wallace 2019.

    Args:
        first: the matrix of one `Alignment`.
        second: that of another of the same pair.

    Returns:
        NaN where one of the two rows is of equal numbers, which have no order.

    Raises:
        DataError: the matrices differ in shape.
    """
    if first.shape != second.shape:
        raise DataError(
            f"matrices of shape {list(first.shape)} and {list(second.shape)}",
            expected="two of the same pair",
            where="kendall",
        )
    return torch.tensor([_tau(*rows) for rows in zip(first, second, strict=True)])


def _tau(first: Tensor, second: Tensor) -> float:
    if any(len(row) < 2 or bool((row == row[0]).all()) for row in (first, second)):
        return math.nan
    return float(stats.kendalltau(first.numpy(), second.numpy()).statistic)
