"""What is imported when: the heavy only where it is used. In processes of their own, since tests import all of it."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "torchvision", "timm", "scipy", "numpy", "pandas", "plotly", "streamlit", "mlxtend", "PIL", "ray")
TENSORS = {"clone", "digests", "held", "hooks", "outside"}
"""Modules of base that work on tensors or layers: whoever has one has torch."""


def loaded(code: str) -> set[str]:
    """Which of the heavy are imported once `code` has run."""
    full = f"{code}\nimport sys\nprint('loaded:', *sys.modules)"
    done = subprocess.run([sys.executable, "-c", full], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return set(HEAVY).intersection(done.stdout.rpartition("loaded:")[2].split())


def modules(*packages: str) -> list[str]:
    """All modules of some packages."""
    return [
        found.name
        for package in packages
        for found in pkgutil.walk_packages([str(ROOT / package.replace(".", "/"))], f"{package}.")
    ]


def test_ourselves() -> None:
    assert loaded("import torch") >= {"torch"} and loaded("") == set()


@pytest.mark.parametrize(
    "names",
    [
        ["pruning", "pruning.spec", "pruning.granularity", "pruning.runs", "pruning.runs.links", "pruning.runs.recipe"],
        ["pruning.criteria", "pruning.catalog.openers", "pruning.data.readers", "pruning.export.table"],
        ["pruning.cli.main", "pruning.cli.commands", "pruning.lessons.library", "pruning.cost.devices"],
        [name for name in modules("pruning.base") if name.rpartition(".")[2] not in TENSORS],
        modules("pruning.jobs"),
        modules("pruning.lessons"),
    ],
    ids=["spec and runs", "tables", "commands", "base", "jobs", "lessons"],
)
def test_these_need_nothing_heavy(names: list[str]) -> None:
    code = f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)"
    assert loaded(code) == set()


def test_pages_code_is_imported_without_torch() -> None:
    """So that the first picture comes before it: each page asks for the engine once something is on screen."""
    names = modules("ui")
    assert len(names) > 60
    code = f"import importlib\nfor name in {names!r}:\n    importlib.import_module(name)"
    assert not loaded(code) & {"torch", "torchvision", "timm", "scipy", "pandas", "mlxtend"}


def test_a_sample_is_opened_with_torch_alone() -> None:
    found = loaded("from pruning.subject import open_subject\nopen_subject('sample:lenet300')")
    assert "torch" in found and not found & {"torchvision", "timm", "pandas", "plotly", "streamlit", "mlxtend", "PIL"}


def test_a_librarys_network_is_opened_with_that_library_alone() -> None:
    found = loaded(
        "from pruning.catalog.openers import open_network\nopen_network('torchvision:squeezenet1_1?size=64')"
    )
    assert "torchvision" in found and not found & {"timm", "pandas", "plotly", "streamlit", "mlxtend"}


@pytest.mark.parametrize("answer", ["prune nosuch:thing", "prune sample:lenet6", "verify nosuch:a --sparsity 0.5"])
def test_a_refusal_by_name_comes_without_torch(answer: str) -> None:
    code = f"from pruning.cli.main import main\nassert main({answer.split()!r}) == 2"
    assert loaded(code) == set()
