"""One process forks those of the pool: they begin at once, go on without it, and it goes when nobody needs it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pruning.base.locks import is_held
from pruning.jobs.process import Process
from pruning.jobs.queue import pool
from pruning.jobs.queue.local import local_line
from pruning.runs import create_run, read_run
from pruning.runs.recipe import Recipe
from pruning.runs.start import start_run

LONG = Recipe(model="sample:lenet300", data="mnist5k", finetune_steps=1_000_000)
QUICK = LONG.replace(finetune_steps=1)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    yield
    for pid in processes():
        os.kill(pid, signal.SIGKILL)


def processes() -> dict[int, int]:
    """Number of each process of this test's pool → that of its parent."""
    mark = f"PRUNING_CACHE={os.environ['PRUNING_CACHE']}\0".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                found[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return found


def forkserver() -> int:
    """The one that others have as their parent, or that is alone."""
    found = processes()
    (parent,) = {parent for parent in found.values() if parent in found} or set(found)
    return parent


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_training(path: Path) -> bool:
    return bool(read_run(path).events().training)


def test_processes_share_what_was_imported_and_begin_at_once() -> None:
    first = create_run(LONG)
    start_run(first)
    until(lambda: is_training(first))
    second = create_run(QUICK)
    began = Process.of(forkserver())
    start_run(second)
    until(lambda: read_run(second).state == "done")
    found = processes()
    workers = [pid for pid, parent in found.items() if parent == forkserver()]
    assert Process.of(forkserver()) == began and len(workers) >= 2 and len(found) == len(workers) + 1
    assert all(os.getsid(pid) == pid for pid in workers), "each has its own part of the processor"
    torch = "/torch/lib/libtorch_cpu.so"
    assert all(torch in Path(f"/proc/{pid}/maps").read_text() for pid in found)


def test_a_job_goes_on_without_it_and_the_next_has_another_one() -> None:
    first = create_run(LONG)
    start_run(first)
    until(lambda: is_training(first))
    parent, steps = forkserver(), len(read_run(first).events().training)
    os.kill(parent, signal.SIGKILL)
    until(lambda: len(read_run(first).events().training) > steps)
    second = create_run(QUICK)
    start_run(second)
    until(lambda: read_run(second).state == "done")
    assert read_run(first).state == "running" and parent not in processes()


def test_it_goes_when_nobody_needs_it() -> None:
    path = create_run(QUICK)
    start_run(path)
    until(lambda: read_run(path).state == "done")
    until(lambda: not processes(), 240)  # its times are measured first, when the machine is quiet
    assert not is_held(local_line().root / pool.FORKSERVER) and not pool.ensure(local_line())
