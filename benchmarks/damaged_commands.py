"""Every command on damaged folders, for `benchmarks.mutated_folders`."""

from __future__ import annotations

import contextlib
import io
import json
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.common import say
from benchmarks.damaged_folders import SOUND, Damaged
from benchmarks.damaged_pages import TRACE
from benchmarks.mutation_kinds import LONGEST
from pruning.cli.commands import COMMANDS
from pruning.cli.main import EXIT_CANCELLED, EXIT_OK, main
from pruning.export.table import EXPORTS
from pruning.runs import read_runs

Arguments = tuple[str, ...]
PATIENCE = 20.0
"""Seconds within which a command stops that was asked to."""
LONG = ("report", "latency", "sensitivity", "contest", "prune", "verify", "worker")


def commands_on(path: Path, out: Path) -> list[Arguments]:
    """Every command that reads a run or one of its files, in the folder `path`; what it writes goes to the new folder
    `out`. What carries a run out comes last."""
    run, file = f"run:{path}", str(out / "file")
    few = ("--images", "50")
    return [
        ("doctor",),
        ("inspect", run),
        ("verify", run, "--sparsity", "0.5"),
        ("evaluate", run),
        *(("export", str(path), name, "--out", file) for name in EXPORTS),
        ("report", str(path), "--out", file),
        ("report", run, "--out", file, "--photos"),
        ("latency", run),
        ("sensitivity", run, *few),
        ("contest", run, "--steps", "4", "--rounds", "2", "--seeds", "0,1"),
        ("prune", run, "--sparsity", "0.5", "--out", str(out / "run")),
        ("prune", "--recipe", str(path / "recipe.yaml"), "--out", str(out / "again")),
        ("--job", str(path / "attempts" / "0001"), "worker", str(path)),
        ("worker", str(path)),
    ]


@dataclass
class Tally:
    """What all commands came to."""

    statuses: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """By command; 130 where it was stopped because it went on for too long."""
    complaints: list[str] = field(default_factory=list)


def call_commands(damaged: Sequence[Damaged], out: Path, tally: Tally, *, seconds: float) -> None:
    """Call every command on a folder of each kind of damage, in turn on all there are of that kind; those that work for
    long are called for every sixth kind, and cancelled after `seconds`."""
    kinds: defaultdict[str, list[Damaged]] = defaultdict(list)
    for one in damaged:
        kinds[one.kind].append(one)
    for number, (kind, folders) in enumerate(kinds.items()):
        for turn, _ in enumerate(commands_on(folders[0].path, out)):
            one = folders[turn % len(folders)]
            arguments = commands_on(one.path, out / f"{number}-{turn}")[turn]
            if arguments[0] in LONG and (number + turn) % 6:
                continue
            (out / f"{number}-{turn}").mkdir(parents=True)
            status, wrong = call(arguments, seconds)
            tally.statuses[arguments[0]][status] += 1
            for text in wrong:
                tally.complaints.append(f"{' '.join(arguments)[:300]} ({kind}, of {one.of}): {text}")
                say(tally.complaints[-1])
    missing = set(COMMANDS) - set(tally.statuses)
    tally.complaints += [f"{name} was never called" for name in sorted(missing)]


def call(arguments: Arguments, seconds: float) -> tuple[int, list[str]]:
    """Call a command in this process: its exit status, and what was wrong with its end, a sentence each."""
    out, err = io.StringIO(), io.StringIO()
    json_wanted = ("--json",) if arguments[0] != "--job" else ()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), stopped_after(seconds) as was_stopped:
            status = main([*arguments, *json_wanted])
    except BaseException as error:
        return -1, [f"{type(error).__name__}: {error}"[:400]]
    wrong = [] if was_stopped() < 2 else ["it did not stop when it was asked to"]
    lines = err.getvalue().splitlines()
    errors = [line for line in lines if line.startswith("Error: ")]
    if TRACE in err.getvalue() or TRACE in out.getvalue():
        wrong.append("a traceback")
    if status == EXIT_OK and json_wanted:
        wrong += _wrong_answer(arguments, out.getvalue())
    if status == EXIT_OK and errors:
        wrong.append(f"done, and yet {errors[0][:200]}")
    if status in (1, 2) and (len(errors) != 1 or lines[-1:] != errors or len(errors[0]) > LONGEST):
        wrong.append(f"status {status} without one sentence at the end: {lines[-3:]}"[:700])
    if status not in (0, 1, 2) and not (status == EXIT_CANCELLED and (was_stopped() or _was_cancelled(lines))):
        wrong.append(f"status {status}: {lines[-3:]}"[:700])
    return status, wrong


def _was_cancelled(lines: Sequence[str]) -> bool:
    """Whether a run is not carried out because it was cancelled before."""
    return bool(lines) and "ancelled" in lines[-1]


def _wrong_answer(arguments: Arguments, text: str) -> list[str]:
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError as error:
        return [f"no JSON on stdout: {error}"]
    if arguments[0] == "doctor":
        listed = read_runs()
        unreadable = {one.name: one.reason for one in listed.unreadable}
        if found["run_count"] != len(listed.runs) or found["unreadable_runs"] != unreadable:
            return ["it does not list the runs as they are"]
        return [f"{name} is not among the runs" for name in SOUND if name not in {run.name for run in listed.runs}]
    if arguments[0] == "export" and arguments[2] == "runs":
        table = Path(found["file"]).read_text()
        return [f"{name} is not in the table of runs" for name in SOUND if name not in table]
    return []


@contextlib.contextmanager
def stopped_after(seconds: float) -> Iterator[Callable[[], int]]:
    """Ask what goes on inside to stop after so many seconds, as Ctrl-C does, and again each `PATIENCE` later; gives how
    often that was needed."""
    asked = 0

    def ask(*_: object) -> None:
        nonlocal asked
        asked += 1
        signal.raise_signal(signal.SIGINT)

    before = {kind: signal.getsignal(kind) for kind in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGALRM, ask)
    signal.setitimer(signal.ITIMER_REAL, seconds, PATIENCE)
    try:
        yield lambda: asked
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for kind, handler in before.items():
            signal.signal(kind, handler)
        sys.stdout.flush()
