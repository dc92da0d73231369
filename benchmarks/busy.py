"""A process that trains and nothing else, to stand beside what is measured: `nice -n 19 python -m benchmarks.busy`.

Single-threaded, as the explorer's own jobs are; ends with the process that started it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def training(processes: int) -> Iterator[None]:
    """So many of them at the lowest priority."""
    command = ["nice", "-n", "19", sys.executable, "-m", "benchmarks.busy"]
    started = [
        subprocess.Popen(command, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"}) for _ in range(processes)
    ]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def main() -> None:
    import torch

    from pruning.catalog.openers import open_network

    torch.set_num_threads(1)
    model = open_network("sample:mini_resnet").model.train().requires_grad_(True)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)
    images, targets = torch.randn(32, 1, 28, 28), torch.randint(10, (32,))
    parent = os.getppid()
    while os.getppid() == parent:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(images), targets).backward()
        optimiser.step()


if __name__ == "__main__":
    main()
