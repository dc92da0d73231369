"""The table of tasks. Another task, or another metric, is another row."""

from __future__ import annotations

from pruning.base.errors import InputError
from pruning.data.info import DataInfo
from pruning.tasks.agreement import AGREEMENT_TASK
from pruning.tasks.classification import CLASSIFICATION
from pruning.tasks.metric import Metric
from pruning.tasks.task import Task

TASKS: dict[str, Task] = {task.name: task for task in (CLASSIFICATION, AGREEMENT_TASK)}


def task_of(info: DataInfo) -> Task:
    """The task that a data set is for.

    Raises:
        InputError: there is no such task.
    """
    if info.task not in TASKS:
        raise InputError(f"{info.title} is for the task '{info.task[:80]}'; there is {', '.join(TASKS)}.")
    return TASKS[info.task]


def metrics() -> dict[str, Metric]:
    """Every metric by the name that results give it: of each task the main one, then those beside it."""
    rows = [(task.metric, *task.further, *task.against_dense) for task in TASKS.values()]
    return {metric.name: metric for row in rows for metric in row}


def find_metric(name: str) -> Metric:
    """A metric by the name that results give it.

    Raises:
        InputError: there is no such metric.
    """
    known = metrics()
    if name not in known:
        raise InputError(f"There is no metric '{name[:80]}'; there is {', '.join(known)}.")
    return known[name]
