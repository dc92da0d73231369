"""Which tensors of a file are which of a network's: wrappers and prefixes are found by what fits its names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Shape = tuple[int, ...]
WRAPPERS = frozenset({"_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module", "module"})
"""Parts of names that compiling and training in parallel put anywhere."""
COPIES = re.compile(r"ema|averag|swa|teacher|shadow|momentum|target|offline", re.IGNORECASE)
"""Of what is an averaged copy of the weights, as far as names tell."""
MOST_OWNERS = 8
"""Of the network's names that end alike: 'weight' alone says nothing."""
ALIKE = 0.7
"""Of the names that the best set of weights has, how many another must have to be one as well."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """One set of weights in a file, set against a network."""

    key: str
    """What stands before its names in the file; '' where nothing does."""
    names: Mapping[str, str]
    """Name in the network → name in the file, as many as there are; shapes may differ."""
    fitting: int
    """Names among them whose shapes agree as well."""

    @property
    def is_copy(self) -> bool:
        """Whether it is called like an averaged copy of the weights."""
        return COPIES.search(self.key) is not None


def find_matches(given: Mapping[str, Shape], own: Mapping[str, Shape]) -> list[Match]:
    """Sets of weights among a file's tensors (`given`) that may be a network's (`own`), best first; [] for none."""
    plain = _without_wrappers(given, own)
    pairs = _prefixes(plain, given, own)
    if not pairs:
        return []
    best = max(pairs.values())
    alike = [pair for pair, fitting in pairs.items() if fitting >= ALIKE * best]
    found = []
    tops = {name.partition(".")[0] for name in own}
    for before, added in alike:
        others = [other for other, _ in alike if _is_apart(other, before, tops)]
        rest = {short: full for short, full in plain.items() if not _belongs(short, others)}
        found.append(_whole_match(before, added, rest, given, own))
    order = {name: place for place, name in enumerate(given)}
    return sorted(
        _distinct(found),
        key=lambda one: (-one.fitting, one.is_copy, min((order[name] for name in one.names.values()), default=0)),
    )


def chosen(matches: list[Match], key: str) -> Match | None:
    """The set of weights that somebody named, by all of what stands before its names or by a part of that."""
    parts = tuple(part for part in key.strip(".").split(".") if part)
    exact = [one for one in matches if one.key == ".".join(parts)]
    holding = [one for one in matches if _holds(one.key.split("."), parts)]
    return next(iter(exact or holding or [one for one in matches if key in one.key]), None)


def _holds(whole: list[str], part: tuple[str, ...]) -> bool:
    return any(tuple(whole[at : at + len(part)]) == part for at in range(len(whole)))


def _is_apart(other: str, before: str, tops: set[str]) -> bool:
    """Whether what has `other` before its names is another set than what has `before`, and no part of it. `tops`: what
    the network's own names begin with."""
    if not before:
        return other.partition(".")[0] not in tops
    return other != before and not f"{other}.".startswith(f"{before}.") and not f"{before}.".startswith(f"{other}.")


def _belongs(name: str, sets: Iterable[str]) -> bool:
    """Whether a name is of one of the sets that have these before their names."""
    return any(before and name.startswith(f"{before}.") for before in sets)


def _without_wrappers(given: Iterable[str], own: Iterable[str]) -> dict[str, str]:
    """Name without the parts that wrap modules → name in the file."""
    wrapping = WRAPPERS - {part for name in own for part in name.split(".")}
    plain: dict[str, str] = {}
    for name in given:
        short = ".".join(part for part in name.split(".") if part not in wrapping)
        plain[name if short in plain or not short else short] = name
    return plain


def _prefixes(
    plain: Mapping[str, str], given: Mapping[str, Shape], own: Mapping[str, Shape]
) -> dict[tuple[str, str], int]:
    """(What stands before a name in the file, what stands before it in the network) → how many names it fits."""
    owners: dict[str, list[str]] = defaultdict(list)
    for name in own:
        for added, rest in _splits(name):
            owners[rest].append(added)
    counts: dict[tuple[str, str], int] = defaultdict(int)
    by_name: dict[tuple[str, str], int] = defaultdict(int)
    for name, full in plain.items():
        for before, rest in _splits(name):
            places = owners.get(rest, [])
            for added in places if len(places) <= MOST_OWNERS else [one for one in places if not one]:
                by_name[before, added] += 1
                if own[f"{added}.{rest}" if added else rest] == given[full]:
                    counts[before, added] += 1
    return counts or by_name


def _splits(name: str) -> Iterable[tuple[str, str]]:
    """A name cut at each dot: ('', 'a.b'), ('a', 'b')."""
    parts = name.split(".")
    for at in range(len(parts)):
        yield ".".join(parts[:at]), ".".join(parts[at:])


def _whole_match(
    before: str, added: str, plain: Mapping[str, str], given: Mapping[str, Shape], own: Mapping[str, Shape]
) -> Match:
    """All names with this prefix; and those missing that have another, as where a head lies outside the backbone."""
    names: dict[str, str] = {}
    for name in own:
        rest = name.removeprefix(f"{added}.") if added else name
        full = plain.get(f"{before}.{rest}" if before else rest) if not added or rest != name else None
        if full is not None:
            names[name] = full
    missing = [name for name in own if name not in names]
    names |= _spelt_otherwise(missing, before, added, plain, set(names.values()))
    missing = [name for name in own if name not in names]
    if len(missing) <= len(own) // 2:
        names |= _elsewhere(missing, before, added, plain, set(names.values()))
    extra = min((len(full.split(".")) - len(name.split(".")) for name, full in names.items()), default=0)
    fitting = sum(own[name] == given[full] for name, full in names.items())
    return Match(key=_shared([full.split(".") for full in names.values()], extra), names=names, fitting=fitting)


def _elsewhere(missing: list[str], before: str, added: str, plain: Mapping[str, str], used: set[str]) -> dict[str, str]:
    """Names of the network that have another prefix than the rest; only where there is one choice."""
    ends: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for short, full in plain.items():
        if full not in used:
            for outside, rest in _splits(short):
                if "." in rest:
                    ends[rest].append((outside, full))
    top = before.split(".") if before else []
    found: dict[str, str] = {}
    for name in missing:
        for rest in [rest for _, rest in _splits(name)] if added else [name]:
            choices = [(_common(top, outside), full) for outside, full in ends.get(rest, [])]
            most = max((count for count, _ in choices), default=0)
            nearest = [full for count, full in choices if count == most]
            if len(nearest) == 1 and (most or len(top) < 2):
                found[name] = nearest[0]
                break
    return found


def _spelt_otherwise(
    missing: list[str], before: str, added: str, plain: Mapping[str, str], used: set[str]
) -> dict[str, str]:
    """Names that differ in their dots alone, as in torchvision's own files: 'denselayer1.norm.1' for 'norm1'."""
    squeezed: dict[str, list[str]] = defaultdict(list)
    for short, full in plain.items():
        if full not in used and (not before or short.startswith(f"{before}.")):
            squeezed[short.removeprefix(f"{before}.").replace(".", "")].append(full)
    found: dict[str, str] = {}
    for name in missing:
        fits = squeezed.get((name.removeprefix(f"{added}.") if added else name).replace(".", ""), [])
        if len(fits) == 1:
            found[name] = fits[0]
    return found


def _common(top: list[str], outside: str) -> int:
    """How many parts both begin with."""
    shared = _shared([top, outside.split(".")], len(top))
    return len(shared.split(".")) if shared else 0


def _shared(names: list[list[str]], most: int) -> str:
    """Parts that all names begin with, joined by dots."""
    shared: list[str] = []
    for parts in zip(*names, strict=False):
        if len(set(parts)) > 1 or len(shared) >= most:
            break
        shared.append(parts[0])
    return ".".join(shared)


def _distinct(matches: list[Match]) -> list[Match]:
    """One for each set of tensors."""
    found: dict[frozenset[str], Match] = {}
    for one in matches:
        found.setdefault(frozenset(one.names.values()), one)
    return list(found.values())
