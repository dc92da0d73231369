"""What is said of one's own images before any is decoded: roles, classes, preprocessing, and all that was noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pruning.base.errors import excerpt
from pruning.data.info import ROLES, DataInfo
from pruning.data.own.decode import ANIMATED, CMYK, DEEP, FAINT, GREY, ROTATED, TRANSPARENT, UNIT
from pruning.data.own.listing import Listing
from pruning.data.own.reference import Split
from pruning.data.own.roles import Roles, assign_roles
from pruning.data.own.words import images_of
from pruning.data.preprocess import IMAGENET, Preprocess

OWN_SIDE = 512
"""Pixels up to which images that are all of one size are seen at it."""
SIDE, RESIZE = 224, 256
"""Where they are of several sizes, or larger."""
GREY_MEAN, GREY_STD = (0.449,), (0.226,)
"""ImageNet's, of all three channels together."""
SAID = (
    (ROTATED, "turned as the EXIF orientation asks"),
    (ANIMATED, "of several frames: the first is used"),
    (DEEP, "of more than 8 bits a channel: scaled to 8"),
    (
        FAINT,
        "of 16 bits with the upper ones empty, as X-rays of 12 bits are: nearly black once scaled to 8",
    ),
    (TRANSPARENT, "transparent: transparency is left out, as torchvision leaves it out"),
    (CMYK, "CMYK: turned into RGB without a colour profile"),
    (UNIT, "of numbers from 0 to 1: brought to 0 to 255"),
)


@dataclass(frozen=True, kw_only=True)
class Described:
    """A data set that can be opened."""

    info: DataInfo
    preprocess: Preprocess
    roles: Roles
    digest: str
    """SHA-256 over names, contents (by size, start and end of each file), labels, roles and preprocessing."""


def describe(reference: str, listing: Listing, split: Split | None, preprocess: Preprocess | None) -> Described:
    """All that is known of a data set without its pixels. `preprocess`: None for a default chosen from the images.

    Raises:
        DataError: there are too few images for three roles.
    """
    roles = assign_roles(listing.parts, listing.labels, split)
    chosen, why = (preprocess, []) if preprocess is not None else _default(listing)
    remarks = [
        *listing.remarks,
        *roles.remarks,
        *_lacking(listing, roles),
        *_doubles(listing, roles),
        *_marks(listing, chosen),
        *why,
    ]
    digest = hashlib.sha256(f"{listing.digest} {json.dumps(chosen.to_values(), sort_keys=True)}".encode())
    for role in ROLES:
        digest.update(np.ascontiguousarray(roles.places[role].astype("<i8")).data)
    info = DataInfo(
        name=reference,
        title=f"{excerpt(listing.title)}, {images_of(len(listing))}",
        classes=listing.classes,
        shape=chosen.shape,
        mean=chosen.mean,
        std=chosen.std,
        sizes={role: len(roles.places[role]) for role in ROLES},
        shift=max(1, min(chosen.size) // 8),
        flips=False,
        embedded=False,
        labelled=listing.labels is not None,
        preprocess=chosen,
        remarks=tuple(remarks),
        split=roles.split,
        content=listing.digest,
    )
    return Described(info=info, preprocess=chosen, roles=roles, digest=digest.hexdigest())


def _default(listing: Listing) -> tuple[Preprocess, list[str]]:
    """A preprocessing for images of which nothing says how a network sees them."""
    own = listing.same_size
    if own is not None and max(own) <= OWN_SIDE:
        size, resize, cut = own, None, f"their own {own[0]}×{own[1]} pixels"
    else:
        size, resize = (SIDE, SIDE), RESIZE
        cut = f"{SIDE}×{SIDE} pixels, the middle after the shorter side is brought to {RESIZE}"
    grey = bool((listing.marks & GREY).all())
    mean, std = (GREY_MEAN, GREY_STD) if grey else (IMAGENET["mean"], IMAGENET["std"])
    chosen = Preprocess(size=size, resize=resize, colour="grey" if grey else "rgb", mean=mean, std=std)
    return chosen, [f"Nothing says how a network sees these images: {cut}, with ImageNet's mean and deviation."]


def _marks(listing: Listing, preprocess: Preprocess) -> list[str]:
    said = []
    for bit, words in SAID:
        count = int((listing.marks & bit > 0).sum())
        if count:
            said.append(f"{images_of(count)} {'is' if count == 1 else 'are'} {words}.")
    grey = int((listing.marks & GREY > 0).sum())
    if preprocess.channels == 3 and preprocess.colour != "grey" and grey:
        said.append(f"{images_of(grey)} {'is' if grey == 1 else 'are'} grey: repeated in all three channels.")
    if (preprocess.channels == 1 or preprocess.colour == "grey") and grey < len(listing):
        said.append(f"{images_of(len(listing) - grey)} with colours are turned into grey.")
    return said


def _lacking(listing: Listing, roles: Roles) -> list[str]:
    """Roles that lack classes."""
    if listing.labels is None or roles.by_lot_alone:
        return []
    if len(listing.classes) == 1:
        return [f"All images are of one class, {excerpt(listing.classes[0])}."]
    said = []
    for role in ROLES:
        there = np.bincount(listing.labels[roles.places[role]], minlength=len(listing.classes)) > 0
        if not there.all():
            lacking = [listing.classes[int(number)] for number in np.flatnonzero(~there)[:3]]
            more = int((~there).sum()) - len(lacking)
            names = ", ".join(excerpt(name, 40) for name in lacking) + (f" and {more:,} more" if more else "")
            said.append(f"The {role} images have none of class {names}.")
    return said


def _doubles(listing: Listing, roles: Roles) -> list[str]:
    """Images of equal content in two roles."""
    order: Sequence[np.ndarray] = [roles.places[role] for role in ROLES]
    places = np.concatenate(order)
    role_of = np.repeat(np.arange(3), [len(part) for part in order])
    contents = np.ascontiguousarray(listing.contents[places]).view(np.dtype((np.void, 16))).reshape(-1)
    _, same = np.unique(contents, return_inverse=True)
    in_role = np.zeros((int(same.max(initial=-1)) + 1, 3), dtype=bool)
    in_role[same, role_of] = True
    double = np.flatnonzero(in_role.sum(axis=1) > 1)
    if not len(double):
        return []
    first = np.flatnonzero(same == double[0])
    one = int(first[0])
    other = int(first[role_of[first] != role_of[one]][0])
    names = " and ".join(
        f"{excerpt(listing.names[int(places[place])], 60)} ({ROLES[role_of[place]]})" for place in (one, other)
    )
    count = len(double)
    return [
        f"{images_of(count)} {'is' if count == 1 else 'are'} in more than one role, such as {names}: what was learnt "
        "or chosen with an image should not be tested with it."
    ]
