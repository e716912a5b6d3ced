"""`seq2see score`: how probable a model finds given targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seq2see.cli import options

if TYPE_CHECKING:
    from seq2see.data.rows import Pair
    from seq2see.decode.translate import Translation


def score(
    bundle: options.Bundle,
    data: options.Data,
    columns: options.DataColumns = "",
    batch_tokens: options.BatchTokens = None,
    device: options.Device = "auto",
) -> None:
    """Print how probable targets are. JSON lines hold log-probabilities in nats."""
    from seq2see.cli.output import json_text, write_lines
    from seq2see.cli.stream import chunks
    from seq2see.data.pairs import read_pairs
    from seq2see.errors import DataError

    model = options.open_model(bundle, device)
    wanted = options.pair_columns(columns or model.recipe.data.columns)
    translator = model.translator(**options.given(batch_tokens=batch_tokens))
    empty = True
    for pairs in chunks(read_pairs(data, wanted)):
        found = translator.score(pairs)
        write_lines(json_text(_record(*each)) for each in zip(pairs, found, strict=True))
        empty = False
    if empty:
        raise DataError("no pairs", expected="at least one", where=data)


def _record(pair: Pair, found: Translation) -> dict[str, Any]:
    return {
        "line": pair.line,
        "source": pair.source,
        "target": pair.target,
        "score": found.score,
        "tokens": found.tokens,
        "token_scores": found.token_scores,
    }
