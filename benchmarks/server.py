"""The app as a server of its own, for benchmarks that visit it: on a free port, with folders of its own; and what all
its processes together take in memory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running app."""

    address: str
    home: Path
    """Where its `runs` and `cache` lie, and `server.log`."""
    pid: int

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    def processes(self) -> list[int]:
        """Numbers of its process and of all that it started, also of those that have another parent by now."""
        mark = f"PRUNING_RUNS={self.runs}\0".encode()
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    def memory(self) -> tuple[float, int]:
        """Megabytes that all its processes take together, what they share counted once; and how many they are."""
        sizes = [size for pid in self.processes() if (size := proportional(pid)) is not None]
        return sum(sizes), len(sizes)


def proportional(pid: int) -> float | None:
    """Megabytes of a process, pages shared with others in parts (PSS); None where it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:")), None)


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[Server]:
    """The app, with these variables in its environment beside those of its folders."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    own = {"PRUNING_RUNS": str(home / "runs"), "PRUNING_CACHE": str(home / "cache")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true",
               f"--server.port={port}", "--server.address=127.0.0.1"]  # fmt: skip
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own, **environment}, stdout=log, stderr=log)
        server = Server(address=address, home=home, pid=process.pid)
        try:
            until = time.monotonic() + START_SECONDS
            while not _answers(f"{address}/_stcore/health"):
                if time.monotonic() > until or process.poll() is not None:
                    raise TimeoutError(f"the server did not start: see {home / 'server.log'}")
                time.sleep(0.1)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pid in server.processes():  # workers that outlive it on purpose
                try:
                    os.kill(pid, 15)
                except ProcessLookupError:
                    continue


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@dataclass
class Watch:
    """Looks at the memory of a server's processes every few seconds, in a thread of its own."""

    server: Server
    every: float = 2.0
    samples: list[tuple[float, float, int]] = field(default_factory=list)
    """Monotonic time, megabytes, processes."""

    def __enter__(self) -> Watch:
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(self.every):
            self.samples.append((time.monotonic(), *self.server.memory()))

    @property
    def most(self) -> float:
        """Megabytes at the worst moment."""
        return max((size for _, size, _ in self.samples), default=0.0)

    def slope(self, seconds: float, until: float) -> float:
        """Megabytes a minute over the last `seconds` before `until` (monotonic), by least squares."""
        last = [(at, size) for at, size, _ in self.samples if until - seconds <= at <= until]
        if len(last) < 3:
            return 0.0
        middle = sum(at for at, _ in last) / len(last), sum(size for _, size in last) / len(last)
        spread = sum((at - middle[0]) ** 2 for at, _ in last)
        return 60 * sum((at - middle[0]) * (size - middle[1]) for at, size in last) / spread
