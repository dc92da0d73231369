"""What commands write: one JSON object or lines of text on stdout, everything else on stderr."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from pruning.base import safe_json
from pruning.tasks.metric import Metric

WIDTH = 98
LABEL = 12


def emit(result: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    """Write a command's result to stdout."""
    print(safe_json.dump(result).decode() if as_json else "\n".join(lines), flush=True)


def say(text: str) -> None:
    """Write progress or an error to stderr."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def only_ours() -> Iterator[None]:
    """What a model prints while it runs goes to stderr: stdout is for the result."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def field(label: str, text: str, indent: int = LABEL) -> list[str]:
    """A label and its text, wrapped beside it.

    >>> field("weights", "random, seed 0")
    ['weights     random, seed 0']
    """
    lines = textwrap.wrap(
        text.replace(" %", "\u00a0%"),  # a unit does not begin a line
        max(WIDTH, indent + 30),
        initial_indent=f"{label:<{indent - 1}} ",
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines] or [label]


def exactly(metric: Metric, value: float) -> str:
    """A metric with a digit more than pages show: '98.70%', '0.1234 px'."""
    if metric.unit == "%":
        return f"{value:.{metric.digits + 1}%}"
    return f"{metric.scale * value:.{metric.digits + 1}f} {metric.unit}".rstrip()


def span(metric: Metric, ends: tuple[float, float]) -> str:
    """An interval of a metric: '98.10% to 99.20%'."""
    return f"{exactly(metric, ends[0])} to {exactly(metric, ends[1])}"


def signed(metric: Metric, value: float, digits: int | None = None) -> str:
    """A difference without its unit: '+0.10'."""
    return f"{metric.scale * value:+.{metric.digits + 1 if digits is None else digits}f}"


def exact_change(metric: Metric, value: float, ends: tuple[float, float]) -> str:
    """A difference with its interval: '+0.10 points (-0.60 to +0.90)'."""
    low, high = (signed(metric, end) for end in ends)
    return f"{signed(metric, value)} {metric.unit_of_change} ({low} to {high})"


def change(before: int, after: int) -> str:
    """
    >>> change(1000, 250)
    '1,000 → 250 (÷4.00)'
    """
    return f"{before:,} → {after:,} (÷{before / max(1, after):.2f})"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names with commas, the first few and how many more there are."""
    more = len(names) - most
    return ", ".join(names) if more <= 1 else f"{', '.join(names[:most])} and {more} more"
