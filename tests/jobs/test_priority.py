"""Workers let pages go first, also where the system shares its time among sessions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAY = """
import os, pathlib
from pruning.jobs.priority import step_back
step_back()
group = pathlib.Path("/proc/self/autogroup")
said = group.read_text().split() if group.exists() else []  # empty where the session belongs to no group
print(os.nice(0), said[-1] if said else "none")
"""


def said(**how: bool) -> list[str]:
    root = Path(__file__).parents[2]
    answer = subprocess.run([sys.executable, "-c", SAY], cwd=root, capture_output=True, text=True, check=True, **how)  # type: ignore[call-overload]
    return str(answer.stdout).split()


def test_a_worker_of_a_session_of_its_own_sets_the_priority_of_the_session() -> None:
    nice, group = said(start_new_session=True)
    assert nice == "19"
    if group == "none":
        pytest.skip("this system shares its time among processes alone")
    assert group == "5"


def test_a_worker_of_a_shared_session_leaves_the_others_of_it_alone() -> None:
    group = Path("/proc/self/autogroup")
    before = group.read_text() if group.exists() else ""
    assert said(start_new_session=False)[0] == "19"
    assert (group.read_text() if group.exists() else "") == before
