"""Numbers and paths on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path


def number(text: str) -> float:
    """A number, for argparse."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{excerpt(text)}' is not a number, such as 0.5") from None


def whole(text: str) -> int:
    """A whole number, for argparse."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{excerpt(text)}' is not a whole number, such as 8") from None


def students(text: str) -> int:
    """How many people: 1 to 1,000."""
    count = whole(text)
    if not 1 <= count <= 1000:
        raise argparse.ArgumentTypeError(f"goes from 1 to 1000, not {count:,}")
    return count


def path(text: str) -> Path:
    """A path, for argparse."""
    try:
        return given_path(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None
