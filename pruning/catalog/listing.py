"""What a picker shows: names of torchvision's and timm's classifiers, and what each costs, before one is loaded."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable

from pruning.catalog.facts import Facts
from pruning.catalog.names import families

LIBRARIES = ("torchvision", "timm")


@functools.cache
def classifiers(library: str) -> tuple[str, ...]:
    """References of a library's classifiers, such as 'torchvision:resnet50', by name; () where it is not installed.

    timm says only when it is imported which of its networks have no classes: these are here too.
    """
    found = families(library)
    names = (name for module, names in found.items() if "." not in module for name in names)
    return tuple(f"{library}:{name}" for name in sorted(names))


def search(text: str, most: int = 50, libraries: Iterable[str] = LIBRARIES) -> list[str]:
    """References whose names hold all parts of a text, best first; where none does, those spelt most alike.

    >>> search("resnet50")[:2]
    ['torchvision:resnet50', 'timm:resnet50']
    """
    known = [reference for library in libraries for reference in classifiers(library)]
    parts = text.lower().replace("-", "_").split()
    if not parts:
        return known[:most]
    found = [reference for reference in known if all(part in reference for part in parts)]
    if not found:
        names = {reference.partition(":")[2]: reference for reference in reversed(known)}
        return [names[near] for near in difflib.get_close_matches("_".join(parts), names, n=min(most, 10), cutoff=0.6)]
    whole = "_".join(parts)

    def rank(reference: str) -> tuple[bool, bool, int]:
        name = reference.partition(":")[2]
        return (whole not in (name, reference), not name.startswith(whole), len(name))

    return sorted(found, key=rank)[:most]


@functools.lru_cache(maxsize=512)
def facts(reference: str) -> Facts:
    """What a network of a library costs and takes. Nothing of its size is allocated where the library can do without.

    Raises:
        InputError: there is no such network, or none of a library.
    """
    from pruning.catalog.outline import facts_of

    return facts_of(reference)
