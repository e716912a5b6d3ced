from __future__ import annotations

import pytest

from seq2see.decode.options import SearchOptions
from seq2see.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beam", 0),
        ("nbest", 0),
        ("max_length", 0),
        ("batch_tokens", 0),
        ("no_repeat_ngram", -1),
        ("top_k", -1),
        ("seed", -1),
        ("length_penalty", -0.5),
        ("length_penalty", float("nan")),
        ("temperature", 0.0),
        ("temperature", float("inf")),
        ("top_p", 0.0),
        ("top_p", 1.1),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ConfigError) as error:
        SearchOptions(**{name: value})
    assert error.value.where == name


def test_more_hypotheses_than_the_beam_are_refused_unless_sampled() -> None:
    with pytest.raises(ConfigError, match="Set beam to 6"):
        SearchOptions(beam=5, nbest=6)
    assert SearchOptions(beam=5, nbest=6, sample=True).nbest == 6
