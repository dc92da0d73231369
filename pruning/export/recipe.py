"""A recipe as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.runs.recipe import Recipe


def recipe(asked: Recipe) -> bytes:
    """YAML of the present version, which Prune, `prune --recipe` and notebooks read."""
    return asked.to_yaml().encode()
