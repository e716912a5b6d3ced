"""Metrics of whole corpora, counted and computed by sacreBLEU: BLEU and chrF.

The number is sacreBLEU's own: its counts a source, its formula over their sums, its signature.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from seq2see.evaluate.resample import Table

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric as Scorer


@dataclass(frozen=True)
class CorpusMetric:
    """Scores a corpus by sacreBLEU, 0 to 100.

    Args:
        name: what users write.
        corpus: makes the sacreBLEU metric for a corpus.
        sentence: makes its variant for a single sentence.
    """

    name: str
    corpus: Callable[[], Scorer]
    sentence: Callable[[], Scorer]
    higher_is_better: bool = True

    def count(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]]
    ) -> tuple[Table, str]:
        """Counts sacreBLEU's statistics `[source, statistic]`, and the signature of the score.

        BLEU counts output length, closest reference length, matches and n-grams of each order;
        chrF counts n-grams of output, reference and both for each order, from the reference with
        the best F score.
        """
        scorer = self.corpus()
        # sacreBLEU wants one stream of lines for the first references, one for the second ones;
        # where a source has fewer references than others, None holds its place.
        streams = list(zip_longest(*references))
        table = np.array(scorer._extract_corpus_statistics(hypotheses, streams), np.float64)
        return table, str(scorer.get_signature())

    def score(self, sums: Table) -> Table:
        """Turns sums `[corpus, statistic]` into values `[corpus]`, 0 to 100."""
        return _compute(self.corpus(), sums)

    def each(self, table: Table) -> Table:
        """Turns counts `[source, statistic]` into sentence scores `[source]`, 0 to 100."""
        return _compute(self.sentence(), table)


def _compute(scorer: Scorer, sums: Table) -> Table:
    rows = sums.astype(np.int64).tolist()
    return np.array([scorer._compute_score_from_stats(row).score for row in rows], np.float64)


def _bleu(**options: Any) -> Scorer:
    from sacrebleu.metrics.bleu import BLEU  # here, so that to open a model does not wait for it

    return BLEU(**options)


def _chrf() -> Scorer:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


CORPUS_METRICS = (
    CorpusMetric("bleu", _bleu, partial(_bleu, effective_order=True)),
    CorpusMetric(
        "bleu-tok",
        # Unsmoothed and on the tokens as they stand: the scale of multi-bleu.perl. `force` says
        # that tokenised text is meant here, which sacreBLEU would otherwise warn of.
        partial(_bleu, tokenize="none", smooth_method="none", force=True),
        partial(_bleu, tokenize="none", effective_order=True, force=True),
    ),
    CorpusMetric("chrf", _chrf, _chrf),
)
