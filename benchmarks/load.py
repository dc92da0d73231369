"""Thirty people at once on one server: does everybody get what they pressed for, soon, and is nothing false said?

    python -m benchmarks.load bell [--sessions 30] [--movers 6] [--epochs 5] [--press 30]
    python -m benchmarks.load steady [--sessions 30] [--seconds 300] [--jobs 4] [--busy 0]

Clients that speak Streamlit's WebSocket protocol (`benchmarks.client`) visit a server of its own, with folders of its
own. Both say how long a move on Prune takes to finished counts (everything drawn but the accuracy) and to the first
accuracy measured, over all moves.

`bell`: all open at once, all ask for the same scan, then each presses "Prune and fine-tune" for a cut of their own
(`mini_resnet` on `mnist5k`), one after the other within `--press` seconds, while others move sliders. Claims: all open
within 10 s; one scan is carried out; every accuracy is there within 4 minutes of the last press; all processes
together take at most 3 GB; no false state in a folder or on a page; moves at p95 within 1 s and 3 s.

`steady`: each moves something every 2 to 5 s, beside jobs that some of them keep going (`--jobs`) and processes that
only train (`--busy`). Claims: no error, moves at p95 within 1 s and 3 s, memory flat over the last 3 minutes (less than
20 MB a minute). These minutes end with the last move.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.busy import training
from benchmarks.client import Drawn, Visitor
from benchmarks.movers import BOARD, Mover, waits
from benchmarks.server import Server, Watch, serving
from benchmarks.states import States

OPEN_SECONDS, ACCURACY_SECONDS, MEGABYTES, SLOPE = 10.0, 240.0, 3000.0, 20.0
COUNTED_SECONDS, MEASURED_SECONDS = 1.0, 3.0
PAUSE = (2.0, 5.0)
"""Seconds between two moves of one visitor."""
LAST_SECONDS = 180.0
"""Over which memory has to be flat."""
FALSE_WORDS = ("The run failed", "The last attempt ended early", "cannot be shown", "Cancelled")
"""What no page may say where nobody cancels and nothing fails."""
LONGEST = 1200.0
"""Seconds after which the bell gives up waiting."""


class Presser:
    """A visitor who starts a run of a cut of their own, and looks at it until it is done."""

    def __init__(self, visitor: Visitor, number: int, epochs: int) -> None:
        self.visitor, self.epochs = visitor, epochs
        self.mover = Mover(visitor, 1000 + number)
        self.pressed: float | None = None
        self.done: float | None = None
        """When the page said so."""
        self.false: list[str] = []
        see = visitor.on_draw

        def look(drawn: Drawn, now: float) -> None:
            assert see is not None
            see(drawn, now)
            if drawn.id.endswith("-longer") and self.done is None and self.pressed is not None:
                self.done = now
            self.false += [words for words in FALSE_WORDS if words in drawn.text]

        visitor.on_draw = look

    @property
    def run(self) -> str:
        """Name of the run's folder; '' as long as there is none."""
        parameters = dict(part.partition("=")[::2] for part in self.visitor.query.split("&"))
        return parameters.get("run", "")

    async def press(self) -> None:
        """Set the epochs and a cut, and start."""
        since = await self.visitor.put("prune_epochs_widget", self.epochs)
        await self.visitor.settled(since)
        move = await self.mover.move()
        await self.visitor.until(lambda: move.counted is not None)
        self.pressed = await self.visitor.click("start_run")
        await self.visitor.until(lambda: bool(self.run))

    async def finish(self) -> None:
        """Look on until the page says that the run is done."""
        with contextlib.suppress(TimeoutError):
            await self.visitor.until(lambda: self.done is not None, LONGEST)


@asynccontextmanager
async def visitors(address: str, count: int) -> AsyncIterator[list[Visitor]]:
    """So many, connected at once."""
    async with contextlib.AsyncExitStack() as there:
        found = [Visitor(address) for _ in range(count)]
        await asyncio.gather(*(there.enter_async_context(one) for one in found))
        yield found


async def open_all(there: Sequence[Visitor]) -> dict[str, Any]:
    """All open Prune at once; seconds until the first and the last have their board."""
    seconds = await asyncio.gather(*(one.open("prune") for one in there))
    without = sum(not one.has(BOARD) for one in there)
    return {"sessions": len(there), "first_s": round(min(seconds), 2), "all_s": round(max(seconds), 2),
            "without_board": without}  # fmt: skip


async def same_scan(there: Sequence[Visitor], states: States) -> dict[str, Any]:
    """All ask for the same scan at once; seconds until each page shows the whole of it, and how many were started."""
    await asyncio.gather(*(one.open("sensitivity") for one in there))
    began = time.monotonic()

    async def ask(one: Visitor) -> float:
        if one.has("measure"):
            await one.settled(await one.click("measure"))
        await one.until(lambda: not one.has("measure") and not one.has("cancel_scan") and one.says("px-legend") != "")
        return time.monotonic() - began

    seconds = await asyncio.gather(*map(ask, there))
    return {"all_s": round(max(seconds), 1), "scans": len(states.seen), "false": states.wrong}


async def bell(server: Server, args: argparse.Namespace) -> dict[str, Any]:
    """The first figure; see the head of this file."""
    figures: dict[str, Any] = {}
    async with visitors(server.address, args.sessions + args.movers) as there:
        with Watch(server) as memory, States(server.runs) as runs:
            figures["open"] = await open_all(there[: args.sessions])
            say(f"open: {figures['open']}")
            if args.movers:
                await open_all(there[args.sessions :])
            with States(server.home / "cache" / "sensitivity") as scans:
                figures["scan"] = await same_scan(there[: args.sessions], scans)
            say(f"scan: {figures['scan']}")
            await open_all(there[: args.sessions])
            pressers = [Presser(one, i, args.epochs) for i, one in enumerate(there[: args.sessions])]
            movers = [Mover(one, i) for i, one in enumerate(there[args.sessions :])]
            began = time.monotonic()
            moving = [asyncio.create_task(mover.keep_moving(began + LONGEST, PAUSE)) for mover in movers]

            async def press(number: int, presser: Presser) -> None:
                await asyncio.sleep(args.press * number / max(1, args.sessions - 1))
                await presser.press()
                say(f"{number} pressed after {time.monotonic() - began:.0f} s")
                await presser.finish()
                say(f"{number} done after {time.monotonic() - began:.0f} s")

            await asyncio.gather(*(press(i, presser) for i, presser in enumerate(pressers)))
            ended = time.monotonic()
            for task in moving:
                task.cancel()
            await asyncio.gather(*moving, return_exceptions=True)
            await asyncio.sleep(2)
        figures["runs"] = _runs(pressers, runs)
        figures["moves"] = _moves([*movers, *(one.mover for one in pressers)], began, ended - MEASURED_SECONDS)
        figures["memory"] = {"most_mb": round(memory.most), "most_processes": max(n for *_, n in memory.samples)}
        false = [words for presser in pressers for words in presser.false]
        figures["false_states"] = [*runs.wrong, *scans.wrong, *false]
        figures["errors"] = _errors(there)
    return figures


def _runs(pressers: Sequence[Presser], runs: States) -> dict[str, Any]:
    """When each accuracy was there, from the folder and on the page."""
    last_press = max(presser.pressed or 0.0 for presser in pressers)
    seen = [runs.seen.get(presser.run) for presser in pressers]
    tuned = [one.tuned for one in seen if one is not None and one.tuned is not None]
    done = [presser.done for presser in pressers if presser.done is not None]
    order = [one.tuned for one in seen if one is not None and one.tuned is not None]
    overtaken = sum(later < earlier - 1 for earlier, later in itertools.pairwise(order))
    return {
        "pressed": sum(presser.pressed is not None for presser in pressers),
        "accuracies": len(tuned),
        "last_accuracy_after_last_press_s": round(max(tuned, default=0.0) - last_press, 1),
        "pages_done": len(done),
        "last_page_after_last_press_s": round(max(done, default=0.0) - last_press, 1),
        "wait_of_each_s": [
            round(one.tuned - presser.pressed, 1)
            for presser, one in zip(pressers, seen, strict=True)
            if one is not None and one.tuned is not None and presser.pressed is not None
        ],
        "overtaken": overtaken,
    }


async def steady(server: Server, args: argparse.Namespace) -> dict[str, Any]:
    """The second figure; see the head of this file."""
    figures: dict[str, Any] = {}
    async with visitors(server.address, args.sessions) as there:
        figures["open"] = await open_all(there)
        movers = [Mover(one, i) for i, one in enumerate(there)]
        with Watch(server) as memory, States(server.runs) as runs, training(args.busy):
            began = time.monotonic()
            until = began + args.seconds
            running = [asyncio.create_task(_keep_a_run(one, until)) for one in there[: args.jobs]]
            await asyncio.gather(*(mover.keep_moving(until, PAUSE) for mover in movers))
            await asyncio.sleep(MEASURED_SECONDS)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        figures["moves"] = _moves(movers, began, until)
        figures["runs"] = {"begun": len(runs.seen), "done": sum(one.state == "done" for one in runs.seen.values())}
        figures["memory"] = {
            "most_mb": round(memory.most),
            "slope_mb_a_minute": round(memory.slope(min(LAST_SECONDS, args.seconds / 2), until), 1),
            "samples": [round(size) for _, size, _ in memory.samples[:: max(1, len(memory.samples) // 30)]],
        }
        figures["false_states"] = runs.wrong
        figures["errors"] = _errors(there)
    return figures


async def _keep_a_run(one: Visitor, until: float) -> None:
    """Start a run, and another when it has ended."""
    pause = random.Random(one.address)
    while time.monotonic() < until:
        with contextlib.suppress(LookupError):
            if not one.find("start_run").element.button.disabled:
                await one.click("start_run")
        await asyncio.sleep(pause.uniform(2, 4))


def _moves(movers: Sequence[Mover], since: float, until: float) -> dict[str, Any]:
    return {
        "to_counts_s": waits(movers, "counted", since, until),
        "to_first_accuracy_s": waits(movers, "measured", since, until),
        "to_recalibrated_s": waits(movers, "recalibrated", since, until),
        "bytes_each": round(statistics.mean(mover.visitor.bytes for mover in movers)),
    }


def _errors(there: Sequence[Visitor]) -> list[str]:
    return [error for one in there for error in one.errors]


def _moves_hold(moves: dict[str, Any]) -> bool:
    return all(
        moves[name]["never"] == 0 and moves[name]["p95"] <= limit
        for name, limit in (("to_counts_s", COUNTED_SECONDS), ("to_first_accuracy_s", MEASURED_SECONDS))
        if moves[name]["moves"]
    )


def checks_of_bell(figures: dict[str, Any], sessions: int) -> dict[str, bool]:
    """Which of the bell's claims hold."""
    runs = figures["runs"]
    return {
        "opens": figures["open"]["all_s"] <= OPEN_SECONDS and not figures["open"]["without_board"],
        "one_scan": figures["scan"]["scans"] == 1,
        "accuracies": runs["accuracies"] == sessions and runs["last_accuracy_after_last_press_s"] <= ACCURACY_SECONDS,
        "memory": figures["memory"]["most_mb"] <= MEGABYTES,
        "nothing_false": not figures["false_states"],
        "no_errors": not figures["errors"],
        "moves": _moves_hold(figures["moves"]),
    }


def checks_of_steady(figures: dict[str, Any]) -> dict[str, bool]:
    """Which claims of the steady class hold."""
    return {
        "no_errors": not figures["errors"] and not figures["open"]["without_board"],
        "nothing_false": not figures["false_states"],
        "memory": figures["memory"]["slope_mb_a_minute"] <= SLOPE,
        "moves": _moves_hold(figures["moves"]),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    ringing = kinds.add_parser("bell", help="all press at once")
    ringing.add_argument("--movers", type=int, default=6, help="further sessions, who move sliders meanwhile")
    ringing.add_argument("--epochs", type=int, default=5)
    ringing.add_argument("--press", type=float, default=30.0, help="seconds within which all press")
    moving = kinds.add_parser("steady", help="all move sliders")
    moving.add_argument("--seconds", type=float, default=300.0)
    moving.add_argument("--jobs", type=int, default=4, help="sessions of which each keeps a run going")
    moving.add_argument("--busy", type=int, default=0, help="processes beside the server that only train")
    for kind in (ringing, moving):
        kind.add_argument("--sessions", type=int, default=30)
        kind.add_argument("--keep", action="store_true", help="keep the figures of a try with fewer sessions as well")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {
            "PRUNING_RUNS": f"{home}/runs",
            "PRUNING_CACHE": f"{home}/cache",
        }  # for those who look at folders
        load_before = os.getloadavg()[0]
        with serving(Path(home)) as server:
            figures = asyncio.run((bell if args.kind == "bell" else steady)(server, args))
        log = (Path(home) / "server.log").read_text(errors="replace")
        figures["tracebacks_in_the_log"] = log.count("Traceback")
    figures["settings"] = {name: value for name, value in vars(args).items() if name not in ("kind", "keep")}
    figures["load_before"] = round(load_before, 2)
    checks = checks_of_bell(figures, args.sessions) if args.kind == "bell" else checks_of_steady(figures)
    figures = {"checks": checks, **figures}
    return _report(args, figures, all(checks.values()))


def say(text: str) -> None:
    """Progress, on stderr so that stdout stays JSON."""
    print(text, file=sys.stderr, flush=True)


def _report(args: argparse.Namespace, figures: dict[str, Any], holds: bool) -> int:
    from benchmarks.common import report  # imports torch, which the clients do without

    claims = {
        "bell": "30 sessions open within 10 s, one scan for all, every accuracy within 4 minutes of the last press, at "
        "most 3 GB, nothing false; moves within 1 s to counts and 3 s to the first accuracy (p95)",
        "steady": "30 sessions move every 2 to 5 s beside running jobs: no error, counts within 1 s and the first "
        "accuracy within 3 s (p95), memory flat",
    }
    small = args.sessions < 30 and not args.keep
    return report(f"load-{args.kind}", claims[args.kind], holds, figures, keep=not small)


if __name__ == "__main__":
    sys.exit(main())
