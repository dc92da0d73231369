"""Data whose classes are other ones than a network's outputs, or in another order: brought together by name.

Labels become numbers of outputs; images stay as they are. Never by position where the counts differ.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from pruning.base.errors import InputError, excerpt
from pruning.data.info import DataInfo, Role
from pruning.data.orders import ClassOrder
from pruning.data.protocol import Data

Names = Sequence[Sequence[str]]
"""Of each output the names that its class goes by."""
SHOWN = 5
"""Names that a sentence holds."""


@dataclass(frozen=True, kw_only=True)
class ByName:
    """Which output each class of a data set is."""

    outputs: tuple[int, ...]
    """By label."""
    classes: tuple[str, ...]
    """Names of the network's classes, by output."""
    remark: str
    """What was done, in a sentence."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedData(Data):
    """A data set whose labels are outputs of a network."""

    info: DataInfo
    inner: Data
    """The images, with labels of their own."""
    by_name: ByName
    _tables: dict[Role, Tensor | None] = field(default_factory=dict, repr=False)

    @property
    def digest(self) -> str:  # type: ignore[override]
        return hashlib.sha256(f"{self.inner.digest} {self.by_name.outputs}".encode()).hexdigest()

    @property
    def source(self) -> str:  # type: ignore[override]
        return self.inner.source

    def labels(self, role: Role) -> Tensor | None:
        if role not in self._tables:
            own = self.inner.labels(role)
            self._tables[role] = None if own is None else torch.tensor(self.by_name.outputs)[own]
        return self._tables[role]

    def images(self, role: Role, index: Tensor) -> Tensor:
        return self.inner.images(role, index)


def mapped_info(info: DataInfo, by_name: ByName) -> DataInfo:
    """What a data set is once its labels are outputs of a network."""
    return replace(info, classes=by_name.classes, remarks=(*info.remarks, by_name.remark))


def map_classes(info: DataInfo, names: Names, outputs: int) -> ByName | None:
    """How the classes of labelled images belong to a network's outputs; None where they are taken as they stand, each
    the output of its number, because that is all that is known.

    Case, spaces, underscores and hyphens make no difference, and of 'tench, Tinca tinca' each part is a name.

    Raises:
        InputError: there are other classes than outputs, and not all are found by name.
    """
    equal = len(info.classes) == outputs
    if not info.classes or (equal and not names):
        return None
    if not names:
        raise InputError(
            f"The network tells {outputs:,} classes apart and does not know their names, and the data set has "
            f"{_counted(info.classes)}, so they cannot be brought together: {_way_out(info)}."
        )
    if len(names) != outputs:
        raise InputError(f"The network has {outputs:,} outputs, but {len(names):,} classes are named for it.")
    found, missing, doubtful = _find(info.classes, names)
    shown = tuple(own[-1] if own else str(number) for number, own in enumerate(names))
    if not missing and not doubtful:
        twice = [name for name, output in found.items() if list(found.values()).count(output) > 1]
        if twice:
            raise InputError(f"{_listed(twice)} of {info.title} are the same class of the network: keep one of them.")
        numbers = tuple(found[name] for name in info.classes)
        if equal and numbers == tuple(range(outputs)):
            return None
        return ByName(outputs=numbers, classes=shown, remark=_remark(info, outputs))
    if equal and all(output == info.classes.index(name) for name, output in found.items()):
        return None  # as far as names are known they stand in the same order
    reasons = []
    if missing:
        reasons.append(f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} not among the network's {outputs:,}")
    if doubtful:
        stand = "stands" if len(doubtful) == 1 else "stand"
        reasons.append(f"{_listed(doubtful)} {stand} for several of the network's")
    raise InputError(
        f"The classes of {info.title} cannot all be found by name: {'; '.join(reasons)}. Name them as the network "
        f"does, such as '{excerpt(shown[0])}'."
    )


def in_order(info: DataInfo, order: ClassOrder) -> ByName:
    """Classes that are taken as they stand, in another order than that of their images.

    Raises:
        InputError: these classes do not have it.
    """
    numbers = order.numbers(info.classes)
    if numbers is None:
        raise InputError(
            f"The classes of {info.title} cannot stand in {order.words}: not all of them {order.needs}. Choose another "
            "class order, or none."
        )
    classes = tuple(name for _, name in sorted(zip(numbers, info.classes, strict=True)))
    return ByName(outputs=numbers, classes=classes, remark=f"Classes stand in {order.words}, as was asked for.")


def by_position(info: DataInfo, names: Names) -> str | None:
    """What to say where classes are taken as they stand, each the output of its number, as `map_classes` gives None:
    a sentence, or None where the network calls them the same.
    """
    if not info.classes or (names and not _find(info.classes, names)[1]):
        return None
    order = ", ".join(excerpt(name, 40) for name in info.classes[:SHOWN]) + (", …" if len(info.classes) > SHOWN else "")
    why = "the network names its outputs otherwise" if names else "the network does not name its outputs"
    return f"Classes are taken for outputs in this order ({order}), since {why}."


def _find(classes: Sequence[str], names: Names) -> tuple[dict[str, int], list[str], list[str]]:
    """Class → output where there is just one of its name; those that have none; those that have several."""
    whole: dict[str, set[int]] = {}
    parts: dict[str, set[int]] = {}
    for number, own in enumerate(names):
        for name in own:
            whole.setdefault(_plain(name), set()).add(number)
            for part in name.split(","):
                parts.setdefault(_plain(part), set()).add(number)
    found: dict[str, int] = {}
    missing, doubtful = [], []
    for name in classes:
        known = whole.get(_plain(name)) or _of_parts(name, parts)
        if not known:
            missing.append(name)
        elif len(known) > 1:
            doubtful.append(name)
        else:
            found[name] = next(iter(known))
    return found, missing, doubtful


def _of_parts(name: str, parts: Mapping[str, set[int]]) -> set[int]:
    """Outputs that go by the name, or by all of its parts: 'n01440764 tench' is both."""
    own = parts.get(_plain(name))
    if own:
        return own
    pieces = [parts[piece] for piece in map(_plain, name.split(",")) if piece in parts]
    return set.intersection(*pieces) if pieces else set()


def _plain(name: str) -> str:
    """
    >>> _plain("Great_white-Shark ")
    'great white shark'
    """
    return re.sub(r"[\s_\-]+", " ", name.casefold()).strip()


def _remark(info: DataInfo, outputs: int) -> str:
    if len(info.classes) == outputs:
        return "The network has the same classes in another order: they were brought together by name."
    return (
        f"The network tells {outputs:,} classes apart, and these images have {len(info.classes):,}: each was found "
        "among them by its name."
    )


def _counted(classes: Sequence[str]) -> str:
    """
    >>> _counted(["cat", "dog"]), _counted(["cat"])
    ('2 (cat, dog)', 'one (cat)')
    """
    shown = ", ".join(excerpt(name, 40) for name in classes[:SHOWN]) + (", …" if len(classes) > SHOWN else "")
    return f"{len(classes):,} ({shown})" if len(classes) > 1 else f"one ({shown})"


def _way_out(info: DataInfo) -> str:
    if len(info.classes) == 1:
        return "give images of all its classes, a folder each; or images in no folder of a class, which have no labels"
    return (
        f"give a network with as many outputs, as with ?classes={len(info.classes)} for one of a library, or check "
        "what the folders mean"
    )


def _listed(names: Sequence[str]) -> str:
    quoted = [f"'{excerpt(name)}'" for name in names[:SHOWN]]
    more = len(names) - SHOWN
    return ", ".join(quoted) + (f" and {more:,} more" if more > 0 else "")
