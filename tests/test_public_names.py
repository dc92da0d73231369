"""What `pruning` offers stays what it is once all of it is imported: a module must not hide a function of its name."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KINDS = {
    "Bundle": "type",
    "Cut": "type",
    "Locked": "type",
    "Network": "type",
    "Refitted": "type",
    "Removal": "type",
    "Result": "type",
    "export_bundle": "function",
    "open": "function",
    "refit": "function",
    "remove_channels": "function",
}


def modules() -> list[str]:
    found = [module.name for module in pkgutil.walk_packages([str(ROOT / "pruning")], "pruning.")]
    return [name for name in found if not name.endswith("__main__")]


def ran(code: str) -> str:
    """What Python says in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("first", ["from pruning import *", "pass"], ids=["names first", "modules first"])
def test_every_public_name_is_what_it_says_after_all_modules_are_imported(first: str) -> None:
    """And what a package offers is never one of its modules."""
    names = modules()
    assert len({name.split(".")[1] for name in names}) > 15
    packages = [name for name in names if (ROOT / name.replace(".", "/") / "__init__.py").is_file()]
    code = (
        f"{first}\nimport importlib, pruning, types\nfor name in {names!r}:\n    importlib.import_module(name)\n"
        "for name in sorted({*pruning.__all__, 'open'}):\n    print(name, type(getattr(pruning, name)).__name__)\n"
        f"for name in {packages!r}:\n    package = importlib.import_module(name)\n"
        "    for public in getattr(package, '__all__', ()):\n"
        "        if isinstance(getattr(package, public), types.ModuleType):\n"
        "            print(name, public, 'is a module')"
    )
    assert ran(code).splitlines() == [f"{name} {kind}" for name, kind in KINDS.items()]


def test_no_module_has_the_name_of_a_public_function() -> None:
    assert not {name.split(".")[1] for name in modules()} & set(KINDS)
