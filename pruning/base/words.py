"""Numbers as people read them."""

from __future__ import annotations

from datetime import datetime, tzinfo

from pruning.base.errors import excerpt


def ratio(dense: float, now: float) -> str:
    """How many times smaller: '÷ 1.73'."""
    return f"÷ {dense / now:.2f}" if dense < 99.5 * now else f"÷ {dense / now:.0f}"


def factor(before: float, after: float) -> str:
    """How a count changed: '÷ 1.73' where it fell, '× 5.00' where it grew. None left is counted as one.

    >>> factor(270, 156), factor(4, 20), factor(40, 0)
    ('÷ 1.73', '× 5.00', '÷ 40.00')
    """
    return ratio(before, max(1, after)) if after <= before else f"× {after / max(1, before):.2f}"


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


def rough_percent(share: float) -> str:
    """A share without decimals, and with one near none and near all.

    >>> rough_percent(0.374), rough_percent(0.042), rough_percent(0.987)
    ('37 %', '4.2 %', '98.7 %')
    """
    return percent(share, 0 if 0.1 <= share <= 0.95 else 1)


def interval(ends: tuple[float, float]) -> str:
    """An interval of fractions in per cent: '98.7–99.7 %'."""
    return f"{100 * ends[0]:.1f}–{100 * ends[1]:.1f} %"


def threads(count: int) -> str:
    """'1 thread', '2 threads'."""
    return f"{count} thread{'' if count == 1 else 's'}"


def ordinal(number: int) -> str:
    """A place in a line.

    >>> [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 113)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '102nd', '113th']
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def moment(at: datetime, zone: tzinfo | None = None) -> str:
    """A date and time, in this machine's zone unless another is named: '27 Nov, 10:12'.

    >>> moment(datetime(2026, 11, 7, 9, 5, tzinfo=UTC), UTC)
    '7 Nov, 09:05'
    """
    local = at.astimezone(zone)
    return f"{local.day} {local:%b, %H:%M}"


def milliseconds(value: float) -> str:
    """A time: '0.84 ms'."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} ms"


def microjoules(joules: float) -> str:
    """An energy: 2.71e-5 → '27.1 µJ'."""
    return f"{joules * 1e6:.1f} µJ"


def duration(seconds: float) -> str:
    """About how long something takes: '40 s', '3 min', '2.0 h'.

    >>> duration(7), duration(42), duration(170), duration(7200)
    ('5 s', '40 s', '3 min', '2.0 h')
    """
    if seconds < 100:
        return f"{5 * max(1, round(seconds / 5))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def a_kind(name: str) -> str:
    """A type by its name, with its article.

    >>> a_kind("dict"), a_kind("OrderedDict"), a_kind("int")
    ('a dict', 'an OrderedDict', 'an int')
    """
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {excerpt(name)}"
