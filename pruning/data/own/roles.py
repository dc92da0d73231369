"""Which of one's own images is for what: as their folders say, halved or drawn where they say less than three roles.

It depends on names and labels alone, never on the order of files on disk, nor on the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pruning.base.errors import DataError
from pruning.data.info import ROLES, Role
from pruning.data.own.folder_names import NO_PART, PARTS
from pruning.data.own.reference import SPLIT, Split
from pruning.data.own.words import images_of
from pruning.data.splits import drawn_by_share

LEARNT = "your network may have learnt from these"


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Places of the images of each role, in one fixed random order, and what is to be said about it."""

    places: Mapping[Role, np.ndarray]
    """int64."""
    remarks: tuple[str, ...]
    by_lot_alone: bool = False
    """Whether a class was too small for every role to get its share of it, which the remarks say."""
    split: Split | None = None
    """The shares by which all images were drawn, where nothing says which is for what."""


def assign_roles(parts: np.ndarray, labels: np.ndarray | None, split: Split | None = None) -> Roles:
    """Roles of images. `parts`: int8, N: a place in PARTS or NO_PART. `labels`: int, N. `split`: what was asked for.

    `select` and `test` are never taken from `train` while another role exists.

    Raises:
        DataError: there are too few images for three roles.
    """
    there = [number for number in (0, 1, 2) if (parts == number).any()]
    train, val, test = (np.flatnonzero(parts == number) for number in (0, 1, 2))
    if parts.size and (parts == NO_PART).all():
        there = []
    if len(there) < 2:
        everything = np.arange(len(parts))
        chosen = SPLIT if split is None else split
        drawn, said = _drawn(everything, labels, tuple(share / 100 for share in chosen), "")
        shares = "/".join(map(str, chosen))
        whence = f"All images lie in {PARTS[there[0]]}" if there else "Nothing says which image is for what"
        first = f"{whence}, so they were split {shares} into train, select and test by lot: {LEARNT}."
        return replace(_in_order(dict(zip(ROLES, drawn, strict=True)), [first, *said], bool(said)), split=chosen)
    remarks = []
    if split is not None:
        shares = "/".join(map(str, split))
        remarks.append(f"The split {shares} was not followed: folders or files say which image is for what.")
    if len(there) == 3:
        return _in_order({"train": train, "select": val, "test": test}, remarks)
    if 0 in there:
        name, whole = ("val", val) if 1 in there else ("test", test)
        (select, test), said = _drawn(whole, labels, (0.5, 0.5), name)
        remarks.append(
            f"There is no {'test' if name == 'val' else 'val'}, so {name} was halved by lot: {len(select):,} to select "
            f"with, {len(test):,} to test."
        )
    else:
        (train, select), said = _drawn(val, labels, (0.5, 0.5), "val")
        remarks.append(
            f"There is no train, so val was halved by lot: {len(train):,} to learn from, {len(select):,} to select "
            f"with; {LEARNT}."
        )
    return _in_order({"train": train, "select": select, "test": test}, [*remarks, *said], bool(said))


def _drawn(
    places: np.ndarray, labels: np.ndarray | None, shares: tuple[float, ...], name: str
) -> tuple[tuple[np.ndarray, ...], list[str]]:
    """Some places apart by shares: each class by itself, unless one has fewer images than there are shares."""
    within, many = f" in {name}" if name else "", "three" if len(shares) == 3 else "two"
    if len(places) < len(shares):
        raise DataError(
            f"There {'is' if len(places) == 1 else 'are'} only {images_of(len(places))}{within}, and it takes one for "
            f"each of {'train, select and test' if len(shares) == 3 else 'two roles'}: add some."
        )
    if labels is None:
        return _cut(places, shares), []
    some = labels[places]
    if np.unique(some, return_counts=True)[1].min() < len(shares):
        return _cut(places, shares), [
            f"Some class has fewer than {many} images{within}, so all were drawn without looking at classes: a role "
            "may lack some."
        ]
    parts = tuple(places[part] for part in drawn_by_share(some, shares))
    return (parts, []) if min(map(len, parts)) else (_cut(places, shares), [])


def _cut(places: np.ndarray, shares: tuple[float, ...]) -> tuple[np.ndarray, ...]:
    """Places apart by lot, at least one in each part."""
    counts = np.maximum(1, np.floor(len(places) * np.array(shares) + 1e-9).astype(int))
    while counts.sum() > len(places):
        counts[np.argmax(counts)] -= 1
    counts[np.argmax(shares)] += len(places) - counts.sum()
    shuffled = np.random.default_rng(40).permutation(places)
    return tuple(np.split(shuffled, np.cumsum(counts)[:-1]))


def _in_order(places: dict[Role, np.ndarray], remarks: list[str], by_lot_alone: bool = False) -> Roles:
    """Each role shuffled in one fixed way, so that its first images are a fair sample."""
    return Roles(
        places={role: np.sort(part)[np.random.default_rng(20).permutation(len(part))] for role, part in places.items()},
        remarks=tuple(remarks),
        by_lot_alone=by_lot_alone,
    )
