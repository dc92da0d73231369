"""Do damaged folders among the runs ever keep a page or a command from going on?

    python -m benchmarks.mutated_folders [--folders 500] [--batches 1] [--seed 0]

Claim: with 500 damaged copies of sound runs among these, every page of the app opens without an exception, also with a
damaged run chosen; sound runs are listed, and a damaged folder is at most one greyed row with one sentence. Every
command ends on damaged folders of each kind with status 0, 1 or 2, and where it is refused with one sentence on stderr.
Half of the copies have one mutated file (as in `benchmarks.mutations`); in the others a file is empty, missing,
unreadable, a folder or a pipe, or the folder as a whole is wrong. The pages that show scans, layer times and races find
those damaged, too.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import damaged_commands, damaged_pages
from benchmarks.common import report, say
from benchmarks.damaged_folders import damage, hold_locks, lesson, make_sound
from benchmarks.mutation_kinds import killed, race_events, scan_events
from pruning.contest import Terms
from pruning.contest.cache import job_of as race_job
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore
from pruning.latency.cache import job_of as times_job
from pruning.latency.cache import steps_key
from pruning.runs import read_runs
from pruning.sensitivity import outline
from pruning.sensitivity.cache import job_of as scan_job
from pruning.spec import PruneSpec
from pruning.subject import open_subject

FOLDERS = 500
OPENED = 1
SECONDS = 2.0
MODEL, DATA = "sample:mini_resnet", "mnist5k"
"""What pages show at first."""


def make_caches(kept: Path) -> dict[Path, Job]:
    """Sound results of a scan, of layer times and of a race, as pages read them at first, each in a folder of `kept` →
    the job whose place that would be."""
    subject = open_subject(MODEL, DATA)
    scan = outline(subject.digest, subject.graph, subject.data, PruneSpec(), images=2000)
    says = lesson("race").setting
    spec = PruneSpec(granularity=says("granularity"), sparsity=says("percent") / 100)
    terms = Terms(model=says("network"), data=says("data"), prune=spec, rounds=says("rounds"), steps=says("steps"))
    runner = open_subject(terms.model, terms.data)
    killed(lambda: scan_events(scan, has_norms=True))(kept / "scan")
    killed(lambda: race_events(terms))(kept / "race")
    status, wrong = damaged_commands.call(("latency", MODEL), 600)
    assert status == 0, wrong
    times = times_job(steps_key(subject.graph, 1))
    assert isinstance(times.store, LocalStore)
    shutil.copytree(times.store.root, kept / "times")
    return {
        kept / "scan": scan_job(scan),
        kept / "race": race_job(terms, runner.digest, runner.data.digest),
        kept / "times": times,
    }


def try_batch(folder: Path, count: int, dice: random.Random, *, opened: int, seconds: float) -> dict[str, Any]:
    """Damage so many folders, open all pages and call all commands: figures of what came of it."""
    os.environ["PRUNING_RUNS"], os.environ["PRUNING_CACHE"] = str(folder / "runs"), str(folder / "cache")
    started = time.monotonic()
    make_sound(folder / "runs")
    caches = make_caches(folder / "sound")
    assert not read_runs().unreadable
    damaged = damage(folder / "runs", count, dice)
    made = time.monotonic()
    pages, commands = damaged_pages.Tally(), damaged_commands.Tally()
    with hold_locks(folder / "runs", damaged):
        found = read_runs()
        say(f"{len(damaged)} folders damaged, {len(found.unreadable)} of them unreadable, {made - started:.0f} s")
        damaged_pages.open_pages(damaged, caches, pages, dice, opened=opened)
        opened_all = time.monotonic()
        say(f"{pages.visits.total()} visits, {len(pages.complaints)} complaints, {opened_all - made:.0f} s")
        damaged_commands.call_commands(damaged, folder / "out", commands, seconds=seconds)
    called = time.monotonic()
    count_of_calls = sum(found.total() for found in commands.statuses.values())
    say(f"{count_of_calls} commands, {len(commands.complaints)} complaints, {called - opened_all:.0f} s")
    return {
        "folders": len(damaged),
        "unreadable": len(found.unreadable),
        "kinds_of_damage": len({one.kind for one in damaged}),
        "damage": dict(Counter(one.way for one in damaged).most_common()),
        "visits": dict(sorted(pages.visits.items())),
        "statuses": {name: dict(sorted(one.items())) for name, one in sorted(commands.statuses.items())},
        "complaints": pages.complaints + commands.complaints,
        "seconds": {
            "making": round(made - started, 1),
            "pages": round(opened_all - made, 1),
            "commands": round(called - opened_all, 1),
        },
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folders", type=int, default=FOLDERS, help="of a batch; fewer for a try, which is not kept")
    parser.add_argument("--batches", type=int, default=1, help="each with other damage (1)")
    parser.add_argument("--seed", type=int, default=0, help="of the damage; other seeds are not kept")
    parser.add_argument("--opened", type=int, default=OPENED, help=f"pages opened with each damaged run ({OPENED})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"after which a command stops ({SECONDS:g})")
    args = parser.parse_args()
    logging.disable(logging.WARNING)  # it warns that no browser looks at the pages
    batches = []
    for number in range(args.batches):
        with tempfile.TemporaryDirectory() as place:
            dice = random.Random(f"{args.seed} {number}")
            batches.append(try_batch(Path(place), args.folders, dice, opened=args.opened, seconds=args.seconds))
    holds = not any(batch["complaints"] for batch in batches)
    if args.folders < FOLDERS or args.seed:
        print(json.dumps(batches, indent=1))
        return 0 if holds else 1
    return report("mutated-folders", "every page and command goes on beside damaged folders", holds, batches)


if __name__ == "__main__":
    sys.exit(main())
