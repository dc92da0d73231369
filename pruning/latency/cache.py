"""Measured layer times on this machine: one job a network and batch size, which leaves the times when it is done.

Weights are no part of the key: networks of the same calls and shapes share times.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import torch

from pruning.base.errors import StorageError
from pruning.base.files import cache_dir
from pruning.base.safe_json import dump, load_object
from pruning.graph.model_graph import ModelGraph
from pruning.graph.trace import op_of
from pruning.jobs.job import Job
from pruning.jobs.work import Work
from pruning.latency.processor import processor
from pruning.latency.steps import Steps
from pruning.latency.threads import timing_threads

STEPS = "steps.json"


def steps_key(graph: ModelGraph, batch: int, engine: str = "") -> str:
    """Same key, same times: the network's calls and their shapes, the batch size, the threads, torch and the CPU.
    `engine`: another one than PyTorch, with its version."""
    calls = [(op_of(node), _shapes(node.meta.get("val"))) for node in graph.trace.nodes]
    shapes = sorted((name, shape) for name, shape in graph.shapes.items())
    parts = [calls, shapes, batch, timing_threads(), torch.__version__, processor()]
    parts += [engine] if engine else []
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def job_of(key: str) -> Job:
    """The job that measures the times of a key."""
    return Job.in_folder(cache_dir() / "latency" / key)


def read_steps(key: str) -> Steps | None:
    """The times that were measured for a key; None where there are none yet.

    Raises:
        StorageError: they are damaged or cannot be read.
    """
    try:
        content = job_of(key).read(STEPS)
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


def _shapes(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return [int(size) for size in value.shape]
    return [_shapes(item) for item in value] if isinstance(value, list | tuple) else None
