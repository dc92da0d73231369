"""Names of the metrics, for what must be refused before torch is imported."""

from __future__ import annotations

import sys

METRIC_NAMES: tuple[str, ...] = ("accuracy", "top5", "mean_per_class", "agreement", "kl_divergence")
"""Of the table in `pruning.tasks.table`, which is held to it by a test."""


def known_metrics() -> tuple[str, ...]:
    """Those of the table; where it is loaded already, also those that were added to it.

    >>> "accuracy" in known_metrics()
    True
    """
    table = sys.modules.get("pruning.tasks.table")
    added = () if table is None else tuple(table.metrics())
    return tuple(dict.fromkeys((*METRIC_NAMES, *added)))
