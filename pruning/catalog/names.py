"""Names of a library's networks, read from its source without importing it: that would take seconds."""

from __future__ import annotations

import difflib
import functools
import importlib.util
import re
import sys
from pathlib import Path

from pruning.base.errors import InputError, excerpt

_REGISTERED = re.compile(
    r"^@register_model\b(?:\((?:name=)?(?P<given>[\"'][\w.-]+[\"'])?[^)]*\))?[ \t]*(?:#.*)?\n"
    r"(?:^@.*\n(?:^[ \t)].*\n)*)*"  # other decorators, over several lines
    r"^def (?P<function>\w+)\(",
    re.MULTILINE,
)
LISTS = {"torchvision": "torchvision.models.list_models()", "timm": "timm.list_models()"}
"""How somebody who has the library sees all of its names."""


def library_names(library: str) -> frozenset[str]:
    """Names that a library registers for its networks; empty where it is not installed, or its source is no help."""
    return frozenset(name for names in families(library).values() for name in names)


def families(library: str) -> dict[str, tuple[str, ...]]:
    """Module below the library's `models`, such as 'resnet' or 'detection.fcos' → names that it registers."""
    folder = _folder(library)
    return {} if folder is None else _families(folder)


@functools.cache
def _families(folder: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for path in sorted((folder / "models").rglob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if "@register_model" in text:
            module = ".".join(path.relative_to(folder / "models").with_suffix("").parts)
            found[module] = tuple(
                (match["given"] or match["function"]).strip("\"'") for match in _REGISTERED.finditer(text)
            )
    return found


def check_name(library: str, name: str) -> None:
    """Refuse a name that the library does not have; nothing is said where that cannot be told without importing it.

    Raises:
        InputError: there is no such network.
    """
    names = library_names(library)
    if names and name not in names:
        raise unknown_name(library, name, names)


def unknown_name(library: str, name: str, names: frozenset[str] | list[str]) -> InputError:
    """The sentence for a name that a library does not have, with the nearest that it has."""
    near = difflib.get_close_matches(name[:100], sorted(names), n=1, cutoff=0.0)
    hint = f" Did you mean '{library}:{near[0]}'?" if near else ""
    return InputError(
        f"{library} has no model '{excerpt(name)}'.{hint} "
        f'All {len(names)} names: python -c "import {library}; print({LISTS[library]})".'
    )


def _folder(library: str) -> Path | None:
    """Where a library lies, found without running anything of it."""
    if library in sys.modules:
        place = getattr(sys.modules[library], "__file__", None)  # None also for one that a test took away
        return Path(place).parent if place else None
    try:
        found = importlib.util.find_spec(library)
    except (ImportError, ValueError):
        return None
    return Path(found.origin).parent if found and found.origin else None
