"""Whoever computes stands still while somebody times a network, and never for long."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pruning.base.errors import Cancelled
from pruning.jobs import quiet as module
from pruning.jobs.quiet import BURST, PAUSE, breathe, computing, quiet

ROOT = Path(__file__).parents[2]
COMPUTES = """
import sys, time
from pruning.jobs.quiet import breathe, computing
with computing():
    print("computing", flush=True)
    while True:
        before = time.monotonic()
        breathe()
        if time.monotonic() - before > 0.05:
            print(f"{before} {time.monotonic()}", flush=True)
        time.sleep(0.005)
"""


@pytest.fixture(autouse=True)
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))


def test_another_process_stands_still_and_goes_on() -> None:
    with subprocess.Popen([sys.executable, "-c", COMPUTES], cwd=ROOT, text=True, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == "computing\n"
        began = time.monotonic()
        with quiet() as held:
            assert not held.is_alone
            inside = time.monotonic()
            time.sleep(0.5)
            before_end = time.monotonic()
        still, again = map(float, process.stdout.readline().split())
        process.kill()
        process.communicate()
    assert began - 0.05 <= still and still <= inside, "it stood still before the clock ran"
    assert again >= before_end


def test_a_timing_that_takes_too_long_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE", 0.3)
    with computing():
        ended = threading.Event()

        def time_something() -> None:
            with quiet():
                ended.wait(20)

        thread = threading.Thread(target=time_something)
        thread.start()
        until = time.monotonic() + 20
        while not module.is_held(module._wanted()):
            assert time.monotonic() < until
            time.sleep(0.005)
        began = time.monotonic()
        breathe()
        assert time.monotonic() - began < 5, "it goes on without"
        ended.set()
        thread.join()
        breathe()


def test_threads_of_a_job_stand_still_with_it() -> None:
    """A race trains in threads of its own."""
    with computing(all_threads=True):
        said: list[bool] = []

        def step() -> None:
            breathe()
            said.append(module._PROCESS[0].file is not None)

        thread = threading.Thread(target=step)
        thread.start()
        thread.join()
        assert said == [True]
    assert not module._PROCESS
    with quiet() as held:
        assert held.is_alone


def test_two_timings_take_turns_and_a_wait_can_be_cancelled() -> None:
    with quiet(), pytest.raises(Cancelled, match="quiet machine"), quiet(lambda: True):
        pytest.fail("another one is timed")
    with quiet() as held:
        assert held.is_alone


def test_bounds_fit_each_other() -> None:
    assert BURST < PAUSE <= 2.0, "what is under way has time to end, and nobody stands still for longer than is said"


def test_breathing_outside_is_nothing() -> None:
    breathe()
    with computing(), computing():
        breathe()
