"""`doctor`: what this installation has, and what is missing."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any

import torch

from pruning.base.errors import StorageError
from pruning.base.extras import EXTRAS
from pruning.base.files import cache_dir
from pruning.data.readers import data_names, is_available
from pruning.runs import Unreadable, default_runs_dir
from pruning.runs.index.index import looked
from sample_models import SAMPLES

NEEDED = ("torch", "torchvision", "scipy", "numpy", "safetensors", "PyYAML", "SQLAlchemy", "pillow")
OPTIONAL = {
    package: [extra for extra, packages in EXTRAS.items() if package in packages]
    for package in dict.fromkeys(package for packages in EXTRAS.values() for package in packages)
}
"""Package → the extras of the installation that bring it."""


def doctor(data_dir: str | None) -> tuple[dict[str, Any], list[str], list[str]]:
    """Versions, samples and data sets as JSON and as lines, and what is missing that everything needs."""
    versions = {package: _version(package) for package in (*NEEDED, *OPTIONAL)}
    run_count, unreadable, refused = _runs()
    result: dict[str, Any] = {
        "schema_version": 1,
        "python": platform.python_version(),
        "versions": versions,
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "bf16": torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported(),
        "samples": {name: sample.weights_path.is_file() for name, sample in SAMPLES.items()},
        "data": {name: is_available(name, data_dir) for name in data_names()},
        "cache": str(cache_dir()),
        "runs": str(default_runs_dir()),
        "run_count": run_count,
        "unreadable_runs": {folder.name: folder.reason for folder in unreadable},
    }
    lines = [
        f"Python {result['python']}, {result['threads']} threads, {result['cpu']}"
        f"{', bf16 in hardware' if result['bf16'] else ''}",
        *(f"{name} {version or _absent(name)}" for name, version in versions.items()),
        *(f"sample:{name} {'is here' if here else 'has no weights'}" for name, here in result["samples"].items()),
        *(
            f"images of {name} {'are here' if here else 'are absent: make data, --data-dir or PRUNING_DATA'}"
            for name, here in result["data"].items()
        ),
        f"{run_count:,} runs are kept in {result['runs']}, the cache is {result['cache']}",
        *([refused] if refused else []),
        *(f"run {name} cannot be read: {reason}" for name, reason in result["unreadable_runs"].items()),
    ]
    missing = [name for name in NEEDED if versions[name] is None]
    missing += [f"weights of sample:{name}" for name, here in result["samples"].items() if not here]
    return result, lines, missing


def _runs() -> tuple[int, tuple[Unreadable, ...], str | None]:
    """How many runs there are, and what cannot be read among them; or why the folder cannot be read."""
    try:
        index = looked(everything=True)
        return index.counts().runs, index.unreadable(), None
    except StorageError as error:
        return 0, (), str(error)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _absent(name: str) -> str:
    if name not in OPTIONAL:
        return "is missing"
    return f"is absent: it comes with {' or '.join(f'.[{extra}]' for extra in OPTIONAL[name])}"
