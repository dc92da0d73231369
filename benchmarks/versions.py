"""Does the engine work with the oldest versions that pyproject.toml allows, and with the pinned ones?

    python -m benchmarks.versions [--keep FOLDER]

Claim: the engine's tests pass at both ends. A virtual environment with the oldest versions of all that the installation
and its extras name is made in a temporary folder, which takes some 7 GB and a large download; the tests of the engine
(no browser, nothing slow) then run in it, and in the environment that this command runs in.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

from benchmarks.common import report, say

ROOT = Path(__file__).parents[1]
ROOMS = ("base", "catalog", "data", "tasks", "graph", "criteria", "planning", "removal", "cost", "training", "repair")
"""Folders of tests: what versions of the libraries can break."""
TOOLS = ("pytest", "pytest-xdist")


def oldest(requirements: list[str]) -> list[str]:
    """
    >>> oldest(["torch>=2.9,<3", "pruning-explorer[samples]"])
    ['torch==2.9']
    """
    found = (re.match(r"([\w.-]+)>=([\d.]+)", text) for text in requirements)
    return [f"{match[1]}=={match[2]}" for match in found if match is not None]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make the environment here, or take the one here")
    args = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = oldest([*project["dependencies"], *(text for name in extras if name != "app" for text in extras[name])])
    with tempfile.TemporaryDirectory() as made:
        folder = args.keep or Path(made)
        python = folder / "bin" / "python"
        if not python.is_file():
            say(f"Installing {', '.join(sorted(set(wanted)))}")
            venv.create(folder, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *sorted(set(wanted)), *TOOLS], check=True)
        figures = {
            "oldest": {"versions": sorted(set(wanted)), **_tested(python)},
            "pinned": _tested(Path(sys.executable)),
        }
    holds = all(side["passed"] and not side["failed"] for side in figures.values())
    return report("versions", "the engine's tests pass with the oldest and the pinned versions", holds, figures)


def _tested(python: Path) -> dict[str, int | list[str]]:
    """Tests that passed and failed under an interpreter, and the names of those that failed."""
    rooms = [f"tests/{room}" for room in ROOMS]
    command = [python, "-m", "pytest", "-q", "-m", "not slow and not browser", "-n", "2", "--dist", "loadfile", *rooms]
    text = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    count = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", text.splitlines()[-1])}
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE)
    return {"passed": count.get("passed", 0), "failed": count.get("failed", 0) + count.get("error", 0), "which": failed}


if __name__ == "__main__":
    sys.exit(main())
