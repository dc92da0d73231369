"""What one pruning decision is about: whole output channels, or single weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pruning.base.errors import InputError

Granularity = Literal["channel", "weight"]


@dataclass(frozen=True, kw_only=True)
class GranularityInfo:
    """One granularity, in words for people."""

    name: Granularity
    title: str
    """Its things in the plural: 'channels'."""
    explanation: str
    done: str
    """What happens to the things that go: 'removed'."""
    shrinks: bool
    """Whether layers become smaller, so that parameters and MACs fall; else only the non-zero parameters do."""


GRANULARITIES: dict[Granularity, GranularityInfo] = {
    info.name: info
    for info in (
        GranularityInfo(
            name="channel",
            title="channels",
            explanation="Whole filters go with all that belongs to them, and the network becomes smaller.",
            done="removed",
            shrinks=True,
        ),
        GranularityInfo(
            name="weight",
            title="weights",
            explanation="Single numbers become zero, and the network keeps its shape.",
            done="set to zero",
            shrinks=False,
        ),
    )
}


def find_granularity(name: object) -> GranularityInfo:
    """The granularity of that name.

    Raises:
        InputError: there is none.
    """
    for known, info in GRANULARITIES.items():
        if known == name:
            return info
    choices = " or ".join(f"'{known}'" for known in GRANULARITIES)
    raise InputError(f"The granularity is {choices}, not {str(name)[:100]!r}.")
