"""A small data set for each reader that has no names to choose from: what it reads, made in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

SAMPLES: dict[str, Callable[[Path], str]] = {}
"""Kind → writes files into an empty folder and gives the reference that opens them."""
