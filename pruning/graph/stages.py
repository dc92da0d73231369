"""Stages of a deep network, told from the names of its layers, so that 200 of them can be looked at in parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pruning.graph.names import label

FEW = 30
"""So many layers can be looked at at once, without stages."""
MOST = 32
"""Stages at most."""
RUNS = 12
"""Stages of a network whose names have no parts."""
LONG = 22
"""Letters of a name that has no room in a row."""
LARGE = 0.5
"""A stage with more than this share of all layers is taken apart where it has parts, up to `MOST` stages."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Layers, or targets, whose names begin alike."""

    title: str
    """Short, for people: 'layer3', 'encoder_layer_7'."""
    members: tuple[str, ...]
    """Names, in the order in which they were given."""
    prefix: str
    """What all their names begin with, with the dot; '' where it is one name, or the rest."""

    def short(self, name: str) -> str:
        """A member's name for people, below the stage's own."""
        rest = label(name.removeprefix(self.prefix))
        return rest or label(name)


def short_labels(names: Sequence[str]) -> list[str]:
    """Names for people in little room: where many are long and begin alike, what tells them apart.

    >>> short_labels(["stem", *[f"encoder.layers.encoder_layer_{i}.attention" for i in range(10, 14)]])
    ['stem', '10.attention', '11.attention', '12.attention', '13.attention']
    """
    whole = [label(name) for name in names]
    if not any(len(text) > LONG for text in whole):
        return whole
    first = [text.partition(".")[0] for text in whole]
    cut = {part: _alike([text for text, own in zip(whole, first, strict=True) if own == part]) for part in set(first)}
    return [text[cut[part] :] for text, part in zip(whole, first, strict=True)]


def _alike(texts: Sequence[str]) -> int:
    """Letters with which all begin, and that tell nothing; 0 for a few."""
    if len(texts) < 4:
        return 0
    same = next((place for place, letters in enumerate(zip(*texts, strict=False)) if len(set(letters)) > 1), 0)
    return len(texts[0][:same].rstrip("0123456789"))


def stages(names: Sequence[str], few: int = FEW) -> tuple[Stage, ...]:
    """The stages of a network in the order of their first layers; one for all where there are at most `few` layers.

    >>> [stage.title for stage in stages(["conv1", *[f"layer{i}.{j}.conv" for i in (1, 2) for j in range(20)], "fc"])]
    ['conv1', 'layer1', 'layer2', 'fc']
    """
    if len(names) <= few:
        return (Stage(title="all", members=tuple(names), prefix=""),)
    found = _parts("", names)
    if len(found) > MOST:
        return _runs(found)
    while True:
        large = [
            (len(members), prefix)
            for prefix, members in found.items()
            if len(members) > few // 2 and (len(members) > LARGE * len(names) or len(found) < 4)
        ]
        for _, prefix in sorted(large, reverse=True):
            parts = _parts(prefix, found[prefix])
            if len(parts) > 1 and len(found) + len(parts) - 1 <= MOST:
                found = _put(found, prefix, parts)
                break
        else:
            return tuple(_named(found))


def _parts(prefix: str, names: Sequence[str]) -> dict[str, list[str]]:
    """Names by the next part of theirs below a prefix; where all have the same one, by the one after."""
    while True:
        found: dict[str, list[str]] = {}
        for name in names:
            part, dot, _ = name[len(prefix) :].partition(".")
            found.setdefault(f"{prefix}{part}{dot}", []).append(name)
        if len(found) > 1:
            return found
        (longer,) = found or {"": []}
        if not longer.endswith(".") or longer == prefix:
            return found
        prefix = longer


def _runs(found: dict[str, list[str]]) -> tuple[Stage, ...]:
    """Too many parts for a stage each: so many neighbours together as make few stages."""
    parts = list(found.items())
    size = -(-len(parts) // RUNS)
    made = []
    for start in range(0, len(parts), size):
        run = parts[start : start + size]
        members = [name for _, names in run for name in names]
        first, last = _tail(run[0][0], 1), _tail(run[-1][0], 1)
        above = run[0][0][: len(run[0][0].removesuffix(".")) - len(first)]
        title = first if len(run) == 1 else f"{first} – {last}"
        made.append(Stage(title=title, members=tuple(members), prefix=above))
    return tuple(made)


def _put(found: dict[str, list[str]], place: str, parts: dict[str, list[str]]) -> dict[str, list[str]]:
    """Parts in the place of what they are parts of."""
    return {
        prefix: members
        for old, old_members in found.items()
        for prefix, members in (parts.items() if old == place else [(old, old_members)])
    }


def _named(found: dict[str, list[str]]) -> list[Stage]:
    """With titles as short as tell them apart."""
    tails = {prefix: _tail(prefix, 1) for prefix in found}
    often = Counter(tails.values())
    titles = {
        prefix: tail if often[tail] == 1 and not tail.isdigit() else _tail(prefix, 2) for prefix, tail in tails.items()
    }
    often = Counter(titles.values())
    titles = {prefix: title if often[title] == 1 else label(prefix) for prefix, title in titles.items()}
    return [
        Stage(
            title=titles[prefix],
            members=tuple(members),
            prefix=prefix if prefix.endswith(".") else "",
        )
        for prefix, members in found.items()
    ]


def _tail(prefix: str, parts: int) -> str:
    return label(".".join(prefix.removesuffix(".").split(".")[-parts:]))
