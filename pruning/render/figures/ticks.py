"""Labels below the bars of a deep network: short, horizontal, and only so many as have room on the narrowest screen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pruning.graph.stages import Stage

ROOM = 300
"""Pixels that a figure's bars have on a telephone."""
LETTER = 7.5
"""Pixels of a letter."""
LONG = 8
"""Letters of a title that is made shorter where only its number tells it apart."""


def stage_ticks(stages: Sequence[Stage]) -> list[tuple[str, str]]:
    """For each stage that has room: the member in its middle, and its title; the largest stages come first."""
    count = sum(len(stage.members) for stage in stages)
    titles = short_titles([stage.title for stage in stages])
    wanted, start = [], 0
    for stage, title in zip(stages, titles, strict=True):
        middle = len(stage.members) // 2
        wanted.append((start + middle, stage.members[middle], title, len(stage.members)))
        start += len(stage.members)
    wanted.sort(key=lambda tick: -tick[3])
    return _spaced([(place, name, text) for place, name, text, _ in wanted], count)


def layer_ticks(stage: Stage) -> list[tuple[str, str]]:
    """For each layer of a stage that has room: its name, and its name below the stage's own."""
    wanted = [(place, name, stage.short(name)) for place, name in enumerate(stage.members)]
    return _spaced(wanted, len(stage.members))


def fits(names: Sequence[str]) -> bool:
    """Whether all names have room below their bars side by side."""
    return all(LETTER * (len(name) + 1.5) <= ROOM / len(names) for name in names)


def short_titles(titles: Sequence[str]) -> list[str]:
    """Long titles that differ by their number alone, as the number; where several kinds are numbered, as they are.

    >>> short_titles(["conv_proj", "encoder_layer_0", "encoder_layer_1"])
    ['conv_proj', '0', '1']
    >>> short_titles(["denseblock1", "transition1", "denseblock2"])
    ['denseblock1', 'transition1', 'denseblock2']
    """
    parts = [re.fullmatch(r"(.*?)(\d+)", title) for title in titles]
    stems = [part.group(1) for part in parts if part]
    one = len(set(stems)) == 1 and len(stems) > 1
    return [
        part.group(2) if part and one and len(title) > LONG else title
        for title, part in zip(titles, parts, strict=True)
    ]


def _spaced(wanted: Sequence[tuple[int, str, str]], count: int) -> list[tuple[str, str]]:
    """Of (place, name, text) those that do not touch one before them; in the order of places."""
    taken: list[tuple[float, float]] = []
    kept: list[tuple[int, str, str]] = []
    for place, name, text in wanted:
        middle, half = ROOM * (place + 0.5) / count, LETTER * (len(text) + 1.5) / 2
        if all(middle + half <= low or middle - half >= high for low, high in taken):
            taken.append((middle - half, middle + half))
            kept.append((place, name, text))
    return [(name, text) for _, name, text in sorted(kept)]
