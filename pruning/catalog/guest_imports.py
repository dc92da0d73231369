"""Imports of somebody's Python file: what lies beside it is its own, whatever other files have the same names.

A file is run as a module of a private package of its own that stands for its folder. Where it imports `utils`, and
`utils.py` lies beside it, that becomes `guest_1a2b3c4d.utils`: so that another file's `utils` is another module, that
nothing of ours is hidden, and that imports within functions find the same modules later.
"""

from __future__ import annotations

import builtins
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


def guest_module(path: Path) -> types.ModuleType:
    """A new module for a file, not yet run, and none of what an earlier run imported from beside it."""
    package = f"{PREFIX}{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    folder = types.ModuleType(package)
    folder.__path__ = [str(place) for place in _roots(path.parent)]
    sys.modules[package] = folder
    importlib.invalidate_caches()
    module = types.ModuleType(f"{package}.{path.stem}")
    module.__file__, module.__package__ = str(path), package
    _adopt(module, package)
    sys.modules[module.__name__] = module  # dataclasses and pickle look it up there
    return module


def forget(module: types.ModuleType) -> None:
    """Take away a module that failed, and what it imported from beside it."""
    package = module.__name__.partition(".")[0]
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def _roots(folder: Path) -> list[Path]:
    """Where a file's own modules lie: its folder, and where that is a package the folder that holds the package."""
    top = folder
    while (top / "__init__.py").is_file() and top.parent != top:
        top = top.parent
    return list(dict.fromkeys((folder, top)))


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
