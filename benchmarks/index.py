"""10,000 runs: how long the index takes to list, filter and sort them, and every page beside the same page with ten.

    python -m benchmarks.index [--runs 10000] [--rounds 9] [--folder PLACE]

Runs are copies of the stored ones of the tests with other recipes and figures (`benchmarks.made_runs`). Pages are run
by Streamlit's AppTest, each in a process of its own for one folder of runs; the two take turns, so that what else the
machine does weighs on both. A page's time is that of its script, which is what a visitor waits for.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from benchmarks.common import report, say
from benchmarks.made_runs import make_runs

ROOT = Path(__file__).parents[1]
STORED = ROOT / "tests" / "fixtures" / "runs"
PAGES = ("start", "explore", "sensitivity", "prune", "tradeoff", "compare", "learn")
FEW = 10
MOST_SECONDS, MOST_RATIO = 0.1, 1.2
WARM = 3
"""Times that a page is run before it is timed: networks are opened and figures made then."""


def main() -> int:
    """Measure, print and keep; 0 where both claims hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="where the runs are made, and used again the next time")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = args.folder or Path(place)
        os.environ["PRUNING_INDEX"] = str(folder / "index")
        for count in (FEW, args.runs):
            if not (folder / str(count)).is_dir():
                say(f"Making {count:,} runs")
                make_runs(folder / str(count), STORED, count)
        index = _index(folder / str(args.runs), args.runs)
        pages = _pages(folder, args.runs, args.rounds)
    slowest = max(index["milliseconds"].values()) / 1000
    worst = max(page["ratio"] for page in pages.values())
    return report(
        "index",
        f"{args.runs:,} runs are listed, filtered and sorted in at most {1000 * MOST_SECONDS:.0f} ms, and every page "
        f"takes at most {MOST_RATIO} times as long as with {FEW} runs",
        slowest <= MOST_SECONDS and worst <= MOST_RATIO,
        {"runs": args.runs, "index": index, "pages": pages, "worst_ratio": round(worst, 3)},
    )


def _index(runs: Path, count: int) -> dict[str, Any]:
    """Times of the index alone."""
    from pruning.runs.index.index import Index
    from pruning.runs.index.query import SORTS, Query

    say("Filling the index")
    index = Index(runs)
    index.close()
    index.path.unlink(missing_ok=True)
    began = time.perf_counter()
    read = index.look().read
    filled = time.perf_counter() - began
    assert read == count and index.counts().runs == count, (read, index.counts())
    began = time.perf_counter()
    index.look(everything=True)
    compared = time.perf_counter() - began
    asked: dict[str, Query] = {f"sorted by {sort}": Query(sort=sort, limit=1000) for sort in SORTS}
    asked |= {
        "filtered by a text": Query(text="l2 norm mini", limit=1000),
        "filtered by network and state": Query(network="mini_resnet", states=("done",), limit=1000),
        "filtered by owner": Query(owner="", limit=1000),
        "filtered by a tag": Query(tags=("small",), limit=1000),
    }

    def find(query: Query) -> Callable[[], Any]:
        return lambda: _forgetful(index).find(query)

    return {
        "milliseconds": {name: _milliseconds(find(query)) for name, query in asked.items()},
        "look_milliseconds": _milliseconds(index.look),
        "fill_seconds": round(filled, 2),
        "compare_all_seconds": round(compared, 3),
        "bytes": index.path.stat().st_size,
    }


def _forgetful(index: Any) -> Any:
    """The index without its answers: what was asked before is not known."""
    index._answers_of = -1
    return index


def _milliseconds(work: Callable[[], Any], tries: int = 15) -> float:
    found = []
    for _ in range(tries):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return round(1000 * statistics.median(found), 2)


def _pages(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Each page with few and with many runs, in turn."""
    found: dict[str, Any] = {}
    for page in PAGES:
        say(f"Timing {page}")
        with _player(folder / str(FEW), page) as few, _player(folder / str(count), page) as many:
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(rounds):
                for player, seconds in zip((few, many), times, strict=True):
                    seconds.append(player())
        medians = [statistics.median(seconds) for seconds in times]
        ratios = [b / a for a, b in zip(*times, strict=True)]
        found[page] = {
            "milliseconds_few": round(1000 * medians[0], 1),
            "milliseconds_many": round(1000 * medians[1], 1),
            "ratio": round(medians[1] / medians[0], 3),
            "median_of_ratios": round(statistics.median(ratios), 3),
        }
    return found


@contextmanager
def _player(runs: Path, page: str) -> Iterator[Callable[[], float]]:
    """A process that runs one page of the app over and over, once each time it is called: the seconds it took."""
    environment = {**os.environ, "PRUNING_RUNS": str(runs), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", PLAYER, str(ROOT / "app.py"), page, str(WARM)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    given, told = process.stdin, process.stdout

    def play() -> float:
        given.write("again\n")
        given.flush()
        return float(_line(told)["seconds"])

    try:
        assert _line(told)["ready"], page
        yield play
    finally:
        given.close()
        process.wait(30)


def _line(told: IO[str]) -> dict[str, Any]:
    line = told.readline()
    if not line:
        raise RuntimeError("the process with the page has ended: run it alone to see why")
    found: dict[str, Any] = json.loads(line)
    return found


PLAYER = """
import json, sys, time
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(sys.argv[1], default_timeout=900)
app.session_state["tradeoff_models"] = "all networks"
app.switch_page(f"pages/{sys.argv[2]}.py")
def play():
    began = time.perf_counter()
    app.run()
    seconds = time.perf_counter() - began
    assert not app.exception, app.exception
    return seconds
for _ in range(int(sys.argv[3])):
    play()
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    print(json.dumps({"seconds": play()}), flush=True)
"""


if __name__ == "__main__":
    sys.exit(main())
