"""How numbers are written, everywhere in a report alike."""

from __future__ import annotations

import math


def whole(value: float) -> str:
    """Writes a count, or a difference of counts with a true minus sign: `12,345`."""
    return f"{value:,.0f}".replace("-", "−")


def fixed(value: float, digits: int = 2) -> str:
    """Writes a measured number with a true minus sign; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.removeprefix("-")


def significant(value: float, digits: int = 3) -> str:
    """Writes a number whose size is not known beforehand: `0.00064`, `1.3e-06`."""
    return f"{value:.{digits}g}".replace("-", "−") if math.isfinite(value) else "–"


def percent(share: float, digits: int = 0) -> str:
    """Writes a share of 1 in percent: `31 %`."""
    return f"{fixed(100 * share, digits)} %" if math.isfinite(share) else "–"


def span(low: float, high: float, digits: int = 2) -> str:
    """Writes an interval; a dash where there is none."""
    return f"{fixed(low, digits)} to {fixed(high, digits)}" if math.isfinite(low + high) else "–"


def duration(seconds: float) -> str:
    """Writes a length of time in seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def counted(count: int, noun: str, many: str = "") -> str:
    """Writes a count with its noun: `1 pair`, `3 pairs`."""
    return f"{whole(count)} {noun if count == 1 else many or noun + 's'}"
