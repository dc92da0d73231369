"""`clock`: time a cut against its dense network for a page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pruning.runs  # noqa: F401 - adds run: to what open_network opens
from pruning.cli.output import field, only_ours, say
from pruning.jobs.work import Work
from pruning.latency.comparison_json import comparison_values
from pruning.latency.cuts import Question, answer


def clock(question: str, cancel: Callable[[], bool], work: Work | None = None) -> tuple[dict[str, Any], list[str]]:
    """The time as JSON and as lines.

    Raises:
        PruningError: no such network, it has changed meanwhile, or cancelled.
    """
    with only_ours():
        found = answer(Question.from_json(question), cancel=cancel, work=work, say=say)
    return {"schema_version": 1, **comparison_values(found)}, field("time", f"{found.verdict}, batch {found.batch}")
