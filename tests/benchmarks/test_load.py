"""Clients without a browser see and do on a page what a browser does; a tiny class goes through the benchmark."""

from __future__ import annotations

import argparse
import asyncio
import math
from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.client import Visitor
from benchmarks.movers import BOARD, Move, Mover, waits
from benchmarks.server import Server, Watch, proportional, serving
from benchmarks.states import Seen, States
from pruning.jobs.job import Job


def test_waits_count_what_never_came_as_endless() -> None:
    mover = Mover(Visitor("http://nowhere"), 0)
    mover.moves = [Move(rev=number, sent=10.0, counted=10.0 + number / 100) for number in range(1, 20)]
    assert waits([mover], "counted") == {"moves": 19, "never": 0, "p50": 0.1, "p95": 0.19, "longest": 0.19}
    mover.moves += [Move(rev=20, sent=11.0)] * 2
    assert waits([mover], "counted")["p95"] == -1 and waits([mover], "counted")["never"] == 2
    assert waits([mover], "counted", until=11.0)["never"] == 0
    assert waits([mover], "counted", since=12.0) == {"moves": 0}


def test_memory_that_grows_has_a_slope() -> None:
    watch = Watch(Server(address="", home=Path(), pid=0))
    watch.samples = [(float(second), 100.0 + second / 6, 1) for second in range(0, 120, 2)]
    assert watch.slope(60, 118.0) == pytest.approx(10), "megabytes a minute"
    watch.samples.append((200.0, 9000.0, 1))
    assert watch.slope(60, 118.0) == pytest.approx(10), "what comes later is not of it"
    del watch.samples[-1]
    assert watch.most == pytest.approx(100 + 118 / 6)
    own = proportional(1_000_000_000)
    assert own is None, "no such process"


def test_a_state_that_goes_back_or_was_never_true_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "runs" / "one"
    attempt = Job.in_folder(folder).ask()
    assert attempt is not None
    states = States(tmp_path / "runs")
    seen = Seen(folder=folder)
    states._see(seen)
    assert seen.state in ("queued", "running") and not seen.wrong
    seen.states.append((0.0, "done-before"))
    seen.states[-1] = (0.0, "running")
    attempt.end("failed", "It broke.")
    states._see(seen)
    assert seen.wrong == ["is said to be failed: It broke."]
    states.seen["one"] = seen
    assert states.wrong == ["one: is said to be failed: It broke."]


@pytest.mark.slow
def test_a_client_opens_moves_and_starts_a_run_as_a_browser_does(tmp_path: Path) -> None:
    async def visit(address: str) -> None:
        async with Visitor(address) as visitor:
            seconds = await visitor.open("prune")
            assert 0 < seconds < 120 and not visitor.errors
            rows = visitor.component(BOARD)["rows"]
            assert {"conv1", "layer1.0.conv1"} <= {row["name"] for row in rows}
            assert "Accuracy on" in visitor.says("px-live")
            mover = Mover(visitor, 0)
            move = await mover.move()
            await visitor.until(lambda: move.recalibrated is not None, 60)
            assert move.counted is not None and move.measured is not None and move.recalibrated is not None
            assert move.sent < move.counted <= move.measured <= move.recalibrated
            assert "row by row" in visitor.says("**Mini ResNet**")
            await visitor.settled(await visitor.put("prune_epochs_widget", 1))
            assert visitor.says("1 epoch")
            await visitor.click("start_run")
            await visitor.until(lambda: "run=" in visitor.query, 60)
            await visitor.until(lambda: visitor.has("longer"), 900)
            await visitor.until(lambda: "◆" in visitor.says("px-live"), 60)  # its accuracy after fine-tuning
            with pytest.raises(LookupError):
                visitor.find("no_such_key")
            await visitor.open("tradeoff")
            assert not visitor.has(BOARD)

    with serving(tmp_path, OMP_NUM_THREADS="1") as server:
        asyncio.run(visit(server.address))
        size, processes = server.memory()
        assert size > 100 and processes >= 1
    assert math.isfinite(size)


@pytest.mark.slow
def test_a_tiny_class_goes_through_both_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    with serving(tmp_path, OMP_NUM_THREADS="1") as server:
        few = argparse.Namespace(sessions=2, movers=1, epochs=1, press=1.0, seconds=8.0, jobs=0, busy=0)
        figures = asyncio.run(load.steady(server, few))
        assert figures["moves"]["to_counts_s"]["moves"] > 0 and figures["moves"]["to_counts_s"]["never"] == 0
        assert not figures["errors"] and not figures["false_states"]
        figures = asyncio.run(load.bell(server, few))
    assert figures["scan"]["scans"] == 1
    assert figures["runs"]["pressed"] == figures["runs"]["accuracies"] == figures["runs"]["pages_done"] == 2
    assert not figures["errors"] and not figures["false_states"]
    assert load.checks_of_bell(figures, 2)["accuracies"]
