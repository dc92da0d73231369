"""Numbers as people read them."""

from __future__ import annotations


def ratio(dense: float, now: float) -> str:
    """How many times smaller: '÷ 1.73'."""
    return f"÷ {dense / now:.2f}" if dense < 99.5 * now else f"÷ {dense / now:.0f}"


def amount(count: float) -> str:
    """Three digits and a unit: 19666 → '19.7 K'."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "K")):
        if count >= 0.9995 * size:
            value = count / size
            return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"
    return f"{count:.0f}"


def size(count: float) -> str:
    """Bytes: 82000 → '82.0 kB'."""
    return f"{amount(count).replace('K', 'k')}B" if count >= 1000 else f"{count:.0f} B"


def percent(share: float, digits: int = 1) -> str:
    """A fraction in per cent: 0.994 → '99.4 %'."""
    return f"{100 * share:.{digits}f} %"


def interval(ends: tuple[float, float]) -> str:
    """An interval of fractions in per cent: '98.7–99.7 %'."""
    return f"{100 * ends[0]:.1f}–{100 * ends[1]:.1f} %"


def threads(count: int) -> str:
    """'1 thread', '2 threads'."""
    return f"{count} thread{'' if count == 1 else 's'}"


def milliseconds(value: float) -> str:
    """A time: '0.84 ms'."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} ms"


def microjoules(joules: float) -> str:
    """An energy: 2.71e-5 → '27.1 µJ'."""
    return f"{joules * 1e6:.1f} µJ"
