"""Imports of somebody's Python file: what lies beside it is its own, whatever other files have the same names.

A file is run as a module of a private package of its own that stands for its folder. Where it imports `utils`, and
`utils.py` lies beside it, that becomes `guest_1a2b3c4d.utils`: so that another file's `utils` is another module, that
nothing of ours is hidden, and that imports within functions find the same modules later.

Needs nothing but Python: bundles take this file along.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import hashlib
import importlib
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PREFIX = "guest_"


def run_guest(path: Path, apart: str = "") -> types.ModuleType:
    """Run a file anew, and anew what it imports from beside it; the module. Raises whatever the file raises.

    `apart`: a text that tells it from another run of the same file, whose modules stay.
    """
    package = f"{PREFIX}{hashlib.sha256(f'{path}{apart}'.encode()).hexdigest()[:8]}"
    top = package_top(path.parent)
    try:
        if top != path.parent and path.stem.isidentifier():
            _begin(package, (top, path.parent))
            within = ".".join(path.relative_to(top).with_suffix("").parts)
            with contextlib.suppress(Exception):  # what the package does of itself may fail where the file does not
                return importlib.import_module(f"{package}.{within}")
        _begin(package, (path.parent, top))
        module = types.ModuleType(f"{package}.{path.stem}")
        module.__file__, module.__package__ = str(path), package
        _adopt(module, package)
        sys.modules[module.__name__] = module  # dataclasses and pickle look it up there
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except BaseException:
        _forget(package)
        raise
    return module


def _begin(package: str, places: tuple[Path, ...]) -> None:
    """An empty package whose modules lie in these folders."""
    _forget(package)
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    folder = types.ModuleType(package)
    folder.__path__ = list(dict.fromkeys(map(str, places)))
    sys.modules[package] = folder
    importlib.invalidate_caches()


def _forget(package: str) -> None:
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def package_top(folder: Path) -> Path:
    """The folder that holds the package that a folder belongs to; itself where it is no package."""
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder = folder.parent
    return folder


def _adopt(module: types.ModuleType, package: str) -> None:
    """Let the import statements of a module find the package's modules first."""
    own = dict(vars(builtins))
    own["__import__"] = functools.partial(_import, package)
    module.__dict__["__builtins__"] = own


def _import(
    package: str,
    name: str,
    globals: Any = None,
    locals: Any = None,
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    top = name.partition(".")[0]
    if level or not _lies_beside(package, top):
        return builtins.__import__(name, globals, locals, fromlist or (), level)
    if fromlist:
        return builtins.__import__(f"{package}.{name}", globals, locals, fromlist, 0)
    importlib.import_module(f"{package}.{name}")
    return sys.modules[f"{package}.{top}"]


def _lies_beside(package: str, name: str) -> bool:
    full = f"{package}.{name}"
    if full in sys.modules:
        return True
    folder = sys.modules.get(package)
    if folder is None or name == "__main__":
        return False
    spec = importlib.machinery.PathFinder.find_spec(full, list(folder.__path__))
    # a folder without Python files is a namespace to Python, and more likely one with images; an installed package of
    # that name goes before it
    return spec is not None and (
        spec.origin is not None or (name not in sys.modules and importlib.util.find_spec(name) is None)
    )


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs a file from beside a guest, with its imports, and leaves no compiled file in its folder."""

    def get_code(self, fullname: str) -> types.CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def exec_module(self, module: types.ModuleType) -> None:
        _adopt(module, module.__name__.partition(".")[0])
        super().exec_module(module)


class _Finder:
    """Finds modules of private packages."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(PREFIX) or path is None:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
            spec.cached = None
        return spec


_FINDER: Any = _Finder()
