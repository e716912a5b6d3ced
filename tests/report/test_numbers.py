from __future__ import annotations

import math

from seq2see.report.numbers import counted, duration, fixed, percent, significant, span, whole


def test_numbers_are_written_alike() -> None:
    assert [whole(12345), whole(-7808)] == ["12,345", "−7,808"]
    assert [fixed(-0.004), fixed(-1.5), fixed(1234.5, 1)] == ["0.00", "−1.50", "1,234.5"]
    assert [percent(0.314), percent(0.0314, 1)] == ["31 %", "3.1 %"]
    assert [significant(0.00064), significant(-1.25e-7)] == ["0.00064", "−1.25e−07"]
    assert [duration(12.4), duration(485), duration(7200)] == ["12 s", "8.1 min", "2.0 h"]
    assert [counted(1, "pair"), counted(2, "hypothesis", "hypotheses")] == [
        "1 pair",
        "2 hypotheses",
    ]


def test_what_is_not_known_is_a_dash() -> None:
    assert {fixed(math.nan), percent(math.inf), span(math.nan, 1.0), significant(math.nan)} == {"–"}
