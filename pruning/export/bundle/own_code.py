"""Somebody's Python file with all that goes along where it moves: the files that it imports, and those that it reads.

What lies beside it is its own, and so is what Python finds elsewhere but not among the installed packages. These are
named, with their versions, as what the code needs.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pruning.base.errors import InputError
from pruning.base.words import size
from pruning.catalog.guest_imports import package_top

MOST_BYTES = 200_000_000
"""Of files that the code reads, together: more than settings and tables ever have."""
ALWAYS = frozenset(("torch", "safetensors", "numpy"))
"""Packages that every bundle's load.py needs."""

SYSTEM = ("/usr/", "/etc/", "/lib", "/proc/", "/dev/", "/sys/")


@dataclass(frozen=True, kw_only=True)
class OwnCode:
    """A Python file and what goes along with it."""

    main: str
    """The file itself, as a key of `files`."""
    files: dict[str, Path]
    """Place in a folder of code → the file, which may also be a table or settings that the code reads."""
    needs: tuple[str, ...]
    """Installed packages that it imports, beside those that any bundle needs."""
    outside: tuple[Path, ...] = ()
    """Files that it reads and that cannot go along, since they lie neither beside it nor below."""

    @property
    def others(self) -> tuple[str, ...]:
        """What goes along with the file, in order."""
        return tuple(sorted(name for name in self.files if name != self.main))


def own_code(path: Path, run: Callable[[], object] | None = None) -> OwnCode:
    """The file with what it imports. `run`: has it make the network, while files that it opens are noted.

    Raises:
        InputError: it cannot be read, two of the files would get one place, or what it reads is too much.
    """
    path = path.resolve()
    top = package_top(path.parent)
    gathered = _Gathered(path, top)
    opened = set() if run is None else _files_opened(run)
    outside = []
    for file in sorted(opened):
        if file.suffix in (".py", ".pyc") or is_installed(file):
            continue
        if file.is_relative_to(top):
            gathered.add(file, top)
        else:
            outside.append(file)
    read = sum(file.stat().st_size for file in gathered.files.values() if file.suffix != ".py")
    if read > MOST_BYTES:
        raise InputError(f"the files that {path.name} reads have {size(read)}, which is too much to go along")
    return OwnCode(
        main=gathered.place_of(path),
        files=gathered.files,
        needs=tuple(sorted(gathered.installed - ALWAYS)),
        outside=tuple(outside),
    )


class _Gathered:
    """Files on the way to a folder of code, and what they import."""

    def __init__(self, path: Path, top: Path) -> None:
        self._places = tuple(dict.fromkeys((top, path.parent)))
        self._top = top
        self.files: dict[str, Path] = {}
        self.installed: set[str] = set()
        self._todo: list[tuple[Path, Path]] = []
        self.add(path, top)
        for folder in path.relative_to(top).parents[:-1]:
            self.add(top / folder / "__init__.py", top)
        while self._todo:
            file, root = self._todo.pop()
            for name, names, level in _imports(file):
                self._follow(file, root, name, names, level)

    def place_of(self, file: Path) -> str:
        return next(place for place, known in self.files.items() if known == file)

    def add(self, file: Path, root: Path) -> None:
        """Take a file along, at its place below the root."""
        place = file.relative_to(root).as_posix()
        known = self.files.get(place)
        if known is None:
            self.files[place] = file
            if file.suffix == ".py":
                self._todo.append((file, root))
        elif known != file:
            raise InputError(f"{known.name} and {file} would get the same place among the network's code")

    def _follow(self, file: Path, root: Path, name: str, names: tuple[str, ...], level: int) -> None:
        """Take along what an import statement finds."""
        if level:
            base = file.parents[level - 1]
            if base == root or base.is_relative_to(root):
                self._take(base, root, name, names)
            return
        first = name.partition(".")[0]
        for place in self._places:
            if self._take(place, self._top, name, names):
                return
        if first in sys.stdlib_module_names or not first:
            return
        entry = _found_elsewhere(first)
        if isinstance(entry, Path):
            self._take(entry, entry, name, names)
        elif entry == "installed":
            self.installed.add(first)

    def _take(self, place: Path, root: Path, name: str, names: tuple[str, ...]) -> bool:
        """Take along the module `name` below a folder, packages on the way to it, and modules of it among `names`."""
        folder, any_found = place, False
        for part in name.split(".") if name else ():
            file, inner = folder / f"{part}.py", folder / part
            if (inner / "__init__.py").is_file():
                self.add(inner / "__init__.py", root)
                any_found = True
            elif file.is_file():
                self.add(file, root)
                return True
            elif not inner.is_dir():
                return any_found
            folder = inner
        if (folder / "__init__.py").is_file() and folder != place:
            any_found = True
        for each in names:
            if (folder / f"{each}.py").is_file():
                self.add(folder / f"{each}.py", root)
                any_found = True
            elif (folder / each / "__init__.py").is_file():
                self.add(folder / each / "__init__.py", root)
                any_found = True
        return any_found


def _imports(file: Path) -> Iterator[tuple[str, tuple[str, ...], int]]:
    """What a file imports anywhere: module, names of it, and from how many folders up."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{file.name} cannot be read ({error})") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, (), 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", tuple(alias.name for alias in node.names), node.level


def _found_elsewhere(name: str) -> Path | Literal["installed"] | None:
    """The folder of the import path in which a module lies that is not installed; None for one that is not there."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    is_file = bool(spec.origin) and spec.has_location
    places = [Path(str(spec.origin))] if is_file else [Path(place) for place in spec.submodule_search_locations or ()]
    if not places or any(is_installed(place) for place in places):
        return "installed"
    place = places[0].resolve()
    return place.parent.parent if place.name == "__init__.py" else place.parent


def is_installed(path: Path) -> bool:
    """Whether a file belongs to Python, to what is installed for it, or to this engine."""
    engine = Path(__file__).parents[3]
    own = [engine / name for name in ("pruning", "sample_models", "ui")]
    resolved = path.resolve()
    if {"site-packages", "dist-packages"} & set(resolved.parts) or str(resolved).startswith(SYSTEM):
        return True
    paths = sysconfig.get_paths()
    python = [Path(paths[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return any(resolved.is_relative_to(place) for place in (*own, *python, Path(sys.base_prefix).resolve()))


def versions_of(modules: tuple[str, ...]) -> dict[str, str]:
    """Names under which modules are installed, with their versions; those of unknown origin without."""
    distributions = importlib.metadata.packages_distributions()
    found = {}
    for module in modules:
        for name in distributions.get(module, [module])[:1]:
            try:
                found[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                found[name] = ""
    return found


_WATCHING: list[set[Path]] = []
_HOOKED: list[bool] = []


def _files_opened(run: Callable[[], object]) -> set[Path]:
    """Files that are opened while something runs. Python has no way to take such a hook out again: it stays, and does
    nothing."""
    if not _HOOKED:
        sys.addaudithook(_note)
        _HOOKED.append(True)
    with _watching() as opened:
        run()
    return {path.resolve() for path in opened if path.is_file()}


@contextmanager
def _watching() -> Iterator[set[Path]]:
    opened: set[Path] = set()
    _WATCHING.append(opened)
    try:
        yield opened
    finally:
        _WATCHING.remove(opened)


def _note(event: str, args: tuple[Any, ...]) -> None:
    if _WATCHING and event == "open" and isinstance(args[0], str | bytes | os.PathLike):
        if set(str(args[1] or "")) & set("wax+"):
            return  # it is written
        path = Path(os.fsdecode(args[0]))
        for opened in _WATCHING:
            opened.add(path if path.is_absolute() else Path.cwd() / path)
