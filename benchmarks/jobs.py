"""Is a job lost, harmed or slowed by the queue?

    python -m benchmarks.jobs kill [--runs 10]     processes of the pool killed 20 times, the server 10 times
    python -m benchmarks.jobs short [--jobs 500]   what the queue adds to a short job
    python -m benchmarks.jobs cancel               how long each kind of work takes to stop

Claims: nothing is lost or damaged by SIGKILL at any moment, and a run that went on ends with the weights of one that
nobody disturbed, bit for bit; the queue adds at most 0.3 s to a job; all work stops within 2 s. Needs an idle machine.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common import answers, report, say
from pruning.base.safe_json import read_object
from pruning.cli.main import carry_out
from pruning.contest import Terms
from pruning.contest import start as contest
from pruning.contest.cache import job_of as job_of_race
from pruning.export.report import start as reports
from pruning.export.report.contents import Options
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.follower import Follower
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore
from pruning.latency import start as widths
from pruning.latency.cache import job_of as job_of_widths
from pruning.runs import create_run, read_run
from pruning.runs.files import MODEL
from pruning.runs.recipe import Recipe
from pruning.runs.start import start_run
from pruning.sensitivity import outline
from pruning.sensitivity import start as scans
from pruning.sensitivity.cache import job_of as job_of_scan
from pruning.spec import PruneSpec
from pruning.subject import open_subject

ROOT = Path(__file__).parents[1]
WORKER_KILLS, SERVER_KILLS = 20, 10
OVERHEAD, STOPPED = 0.3, 2.0
ONESHOT = Recipe(model="sample:mini_resnet", data="mnist5k", prune=PruneSpec(sparsity=0.4, seed=1),
                 finetune_steps=600, batch_size=32, lr=0.02)  # fmt: skip
ROUNDS = ONESHOT.replace(schedule="iterative", iterations=3, optimiser="adamw", lr=0.001)
SHORT = ("evaluate", "sample:lenet300", "--json")


@contextmanager
def server() -> Iterator[Callable[[], None]]:
    """A server that looks after the pool; calling what is given kills it with SIGKILL and starts another."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true",
               f"--server.port={port}", "--server.address=127.0.0.1"]  # fmt: skip
    running: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        running.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        until = time.monotonic() + 60
        while not answers(f"http://127.0.0.1:{port}/_stcore/health") and time.monotonic() < until:
            time.sleep(0.05)

    def again() -> None:
        running[-1].kill()
        running[-1].wait()
        start()

    start()
    try:
        yield again
    finally:
        running[-1].kill()
        running[-1].wait()


def digest(run: Path) -> str:
    """Of the weights that a run led to."""
    return hashlib.sha256((run / MODEL).read_bytes()).hexdigest()


def undisturbed(recipe: Recipe) -> str:
    """Digest of what a run leads to that nobody disturbs."""
    path = create_run(recipe)
    start_run(path)
    ended = wait(Job.in_folder(path))
    assert ended == "done", read_run(path).message
    return digest(path)


def wait(job: Job) -> str:
    """The state in which a job ends."""
    follower = Follower(job)
    while True:
        now = follower.status()
        if now is not None and not now.is_working:
            return now.state
        time.sleep(0.05)


def process_of(job: Job) -> int | None:
    """The process that works on a job."""
    last = job.last()
    assert isinstance(job.store, LocalStore)
    values = None if last is None or last.manifest else read_object(job.store.path(f"{last.folder}/worker.json"))
    return None if values is None else int(values["process"]["pid"])


def kill(args: argparse.Namespace) -> int:
    """Runs that are disturbed at random moments, against those that nobody disturbs."""
    draw = random.Random(0)
    wanted = {id(recipe): undisturbed(recipe) for recipe in (ONESHOT, ROUNDS)}
    say(f"undisturbed: {wanted}")
    rows: list[dict[str, Any]] = []
    workers_left, servers_left = args.kills, args.server_kills
    with server() as kill_server:
        for number in range(3 * args.runs):  # a run may end before its last kill
            if number >= args.runs and not workers_left and not servers_left:
                break
            recipe = (ONESHOT, ROUNDS)[number % 2]
            path = create_run(recipe)
            start_run(path)
            job, follower = Job.in_folder(path), Follower(Job.in_folder(path))
            killed = {"worker": 0, "server": 0}
            seen: list[str] = []
            share = -(-args.kills // args.runs), -(-args.server_kills // args.runs)
            following = time.monotonic() + draw.uniform(0.2, 8)
            while (now := follower.status()) is None or now.is_working:
                state = "none" if now is None else now.state
                seen += [state] if seen[-1:] != [state] else []
                if time.monotonic() > following:
                    following = time.monotonic() + draw.uniform(0.2, 12)
                    if killed["server"] < share[1] and servers_left and draw.random() < 0.4:
                        kill_server()
                        killed["server"] += 1
                        servers_left -= 1
                    elif killed["worker"] < share[0] and workers_left and (pid := process_of(job)) is not None:
                        try:
                            os.kill(pid, signal.SIGKILL)
                        except ProcessLookupError:
                            continue
                        killed["worker"] += 1
                        workers_left -= 1
                time.sleep(0.02)
            run = read_run(path)
            steps = [event["step"] for event in run.events().training]
            rows.append({
                "schedule": recipe.schedule, "killed": killed, "state": run.state, "attempts": len(job.attempts()),
                "states": seen, "equal": run.state == "done" and digest(path) == wanted[id(recipe)],
                "curve_whole": steps == list(range(1, recipe.finetune_steps + 1)),
            })  # fmt: skip
            say(str(rows[-1]))
    totals = {who: sum(row["killed"][who] for row in rows) for who in ("worker", "server")}
    holds = all(row["equal"] and row["curve_whole"] and "failed" not in row["states"] for row in rows)
    return report("jobs_kill", "no run is lost or differs by a bit after SIGKILL", holds, {**totals, "runs": rows})


def short(args: argparse.Namespace) -> int:
    """Short jobs in the queue, against the same work in one process."""
    carry_out(SHORT, stop=lambda: False)
    began = time.perf_counter()
    for _ in range(10):
        carry_out(SHORT, stop=lambda: False)
    alone = (time.perf_counter() - began) / 10
    folder = Path(tempfile.mkdtemp())
    jobs = [Job.in_folder(folder / f"{number}") for number in range(args.jobs)]
    began = time.perf_counter()
    for job in jobs:
        LocalExecutor().submit(SHORT, job, kind="evaluate")
    submitted = time.perf_counter() - began
    states = [wait(job) for job in jobs]
    whole = time.perf_counter() - began
    workers = len(os.sched_getaffinity(0))
    overhead = whole * workers / args.jobs - alone
    figures = {
        "jobs": args.jobs, "workers": workers, "done": states.count("done"), "seconds": round(whole, 1),
        "seconds_to_submit_each": round(submitted / args.jobs, 4), "alone_seconds_each": round(alone, 4),
        "overhead_seconds_each": round(overhead, 4),
    }  # fmt: skip
    holds = overhead <= OVERHEAD and states.count("done") == args.jobs
    return report("jobs_short", f"the queue adds at most {OVERHEAD} s to a job", holds, figures)


def cancel(args: argparse.Namespace) -> int:
    """Each kind of work, cancelled at several moments."""
    del args
    subject = open_subject("sample:mini_resnet", "mnist5k")
    large = open_subject("sample:resnet20")
    done = create_run(ONESHOT.replace(finetune_steps=0))
    start_run(done)
    wait(Job.in_folder(done))
    counter = itertools.count()

    def run() -> Job:
        path = create_run(ONESHOT.replace(seed=next(counter)))
        start_run(path)
        return Job.in_folder(path)

    def scan() -> Job:
        spec = PruneSpec(criterion="random", seed=next(counter))
        wanted = outline(subject.digest, subject.graph, subject.data, spec, images=2000)
        scans.start(subject, wanted, lose=1.0)
        return job_of_scan(wanted)

    def race() -> Job:
        terms = Terms(model=subject.ref, data="mnist5k", seeds=(next(counter), next(counter)))
        contest.start(terms, subject)
        return job_of_race(terms, subject.identity, subject.data.digest)

    def profile() -> Job:
        return job_of_widths(widths.start_profile(large.ref, large.graph, 1 + next(counter)))

    def written() -> Job:
        options = Options(title=f"Report {next(counter)}")
        reports.start(done, options)
        return reports.job_of(done, options)

    figures: dict[str, Any] = {}
    for kind in (run, scan, race, profile, written):
        taken = []
        for moment in (0.0, 0.3, 1.0, 2.0, 4.0):
            job = kind()
            time.sleep(moment)
            began = time.perf_counter()
            job.request_cancel()
            state = wait(job)
            taken.append({"after": moment, "seconds": round(time.perf_counter() - began, 2), "state": state})
            say(f"{kind.__name__}: {taken[-1]}")
        figures[kind.__name__] = taken
    seconds = [row["seconds"] for rows in figures.values() for row in rows]
    holds = max(seconds) <= STOPPED
    figures |= {"most_seconds": max(seconds), "median_seconds": statistics.median(seconds)}
    return report("jobs_cancel", f"every kind of work stops within {STOPPED:g} s", holds, figures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(required=True)
    killing = parts.add_parser("kill")
    killing.add_argument("--runs", type=int, default=10)
    killing.add_argument("--kills", type=int, default=WORKER_KILLS)
    killing.add_argument("--server-kills", type=int, default=SERVER_KILLS)
    killing.set_defaults(run=kill)
    many = parts.add_parser("short")
    many.add_argument("--jobs", type=int, default=500)
    many.set_defaults(run=short)
    parts.add_parser("cancel").set_defaults(run=cancel)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:  # times of the last run may follow
        os.environ |= {"PRUNING_CACHE": f"{home}/cache", "PRUNING_RUNS": f"{home}/runs"}
        status: int = args.run(args)
    return status


if __name__ == "__main__":
    sys.exit(main())
