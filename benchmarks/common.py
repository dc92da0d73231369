"""What every benchmark reports beside its figures, and where it is kept."""

from __future__ import annotations

import json
import os
import platform
import sys
import urllib.request
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Versions, processor and threads: figures without them mean little."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    packages = ("torch", "torchvision", "streamlit", "plotly", "pandas")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": cpu,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in packages},
    }


def report(name: str, claim: str, holds: bool, figures: Any, *, keep: bool = True) -> int:
    """Print a result, and keep it unless it is a try; the exit status, 0 where the claim holds."""
    result = {"benchmark": name, "claim": claim, "holds": holds, "machine": machine(), "figures": figures}
    text = json.dumps(result, indent=1)
    if keep:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
    return 0 if holds else 1


def say(text: str) -> None:
    """Progress, on stderr so that stdout stays JSON."""
    print(text, file=sys.stderr, flush=True)


def answers(address: str) -> bool:
    """Whether a server answers at an address."""
    try:
        with urllib.request.urlopen(address, timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
