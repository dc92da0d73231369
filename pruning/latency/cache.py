"""Measured layer times: one job a network, batch size and engine, which leaves the times when it is done; and one for
each other machine that times were brought from.

Weights are no part of the key: networks of the same calls and shapes share times.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from pruning.base.errors import StorageError
from pruning.base.files import cache_dir
from pruning.base.remembered import Remembered
from pruning.base.safe_json import dump, load_object, read_object
from pruning.graph.model_graph import ModelGraph
from pruning.graph.trace import op_of
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore
from pruning.jobs.work import Work
from pruning.latency.processor import processor
from pruning.latency.steps import Steps
from pruning.latency.threads import timing_threads

STEPS = "steps.json"


def steps_key(graph: ModelGraph, batch: int, engine: str = "") -> str:
    """Same key, same times: the network's calls and their shapes, the batch size, the threads, torch and the CPU.
    `engine`: another one than PyTorch, with its version."""
    parts = [*_network(graph), batch, timing_threads(), torch.__version__, processor()]
    parts += [engine] if engine else []
    return _short(parts)


def job_of(key: str) -> Job:
    """The job that measures the times of a key."""
    return Job.in_folder(cache_dir() / "latency" / key)


def brought_key(graph: ModelGraph, batch: int) -> str:
    """Same key, same network for times from other machines: its calls and their shapes, and the batch size."""
    return _short([*_network(graph), batch])


def brought_job(key: str, cpu: str) -> Job:
    """The job whose result are times that were brought from another machine, by its processor."""
    return Job.in_folder(_brought(key) / _short(cpu))


def brought_steps(key: str) -> dict[str, Steps]:
    """Processor → times that were brought from there; damaged ones are left out."""
    folder = _brought(key)
    found = {}
    for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
        with suppress(StorageError):
            store = LocalStore.at(folder / name)
            file = Job(store).file(STEPS)
            if file is not None:
                steps = _STEPS(store.path(file.name))
                found[steps.cpu] = steps
    return found


def read_steps(key: str) -> Steps | None:
    """The times that were measured for a key; None where there are none yet. Errors as `steps_of`."""
    return steps_of(job_of(key))


def steps_of(job: Job) -> Steps | None:
    """The times that a job left; None where there are none yet.

    Raises:
        StorageError: they are damaged or cannot be read.
    """
    try:
        content = job.read(STEPS)
        found = None if content is None else load_object(content, STEPS)
    except StorageError as error:
        raise StorageError(f"{error} Measure them again.") from error
    return None if found is None else Steps.from_json(found)


def publish_steps(work: Work, steps: Steps) -> str:
    """Leave measured times as the result of a job, in place of earlier ones; the name of their object.

    Raises:
        StorageError: they cannot be written.
    """
    work.supersedes = True
    return work.publish(STEPS, dump(steps.to_json()))


def _read(path: Path) -> Steps:
    values = read_object(path)
    if values is None:
        raise StorageError(f"{path.name} is gone: bring the times again.")
    return Steps.from_json(values)


_STEPS = Remembered(_read, most=200)
"""Asked for at each move on a page."""


def _brought(key: str) -> Path:
    return cache_dir() / "latency" / "brought" / key


def _network(graph: ModelGraph) -> list[Any]:
    calls = [(op_of(node), _shapes(node.meta.get("val"))) for node in graph.trace.nodes]
    return [calls, sorted((name, shape) for name, shape in graph.shapes.items())]


def _short(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _shapes(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return [int(size) for size in value.shape]
    return [_shapes(item) for item in value] if isinstance(value, list | tuple) else None
