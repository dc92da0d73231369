"""Is iterative pruning better than one-shot with the same number of training steps? Three seeds each.

    python -m benchmarks.schedules

No winner is named where the paired differences of the seeds do not all point the same way. The exit status says
whether both schedules ended at the same size and every removal was exact, not who won.
"""

from __future__ import annotations

import statistics
import sys
from typing import Any

from benchmarks.common import report, say
from benchmarks.recovery import SEEDS, default_recipe
from pruning.runs.pipeline import run

CASES = (
    {"model": "lenet5", "granularity": "weight", "sparsity": 0.98, "epochs": 10, "iterations": 5},
    {"model": "mini_resnet", "granularity": "channel", "sparsity": 0.6, "epochs": 10, "iterations": 5},
)


def measure(case: dict[str, Any]) -> dict[str, Any]:
    """Test accuracy of both schedules for every seed, and their difference."""
    rows = []
    for seed in SEEDS:
        row: dict[str, Any] = {"seed": seed}
        for schedule, iterations in (("oneshot", 1), ("iterative", case["iterations"])):
            recipe = default_recipe(
                case["model"], "mnist5k", case["epochs"], granularity=case["granularity"], sparsity=case["sparsity"],
                schedule=schedule, iterations=iterations, seed=seed,
            )  # fmt: skip
            result = run(recipe).result
            row["steps"] = recipe.finetune_steps
            dense, pruned = result.dense.test, result.pruned.test
            assert dense is not None and pruned is not None, "it has images"
            row["dense"] = dense.value
            row[schedule] = pruned.value
            row[f"{schedule}_interval"] = pruned.interval
            row[f"{schedule}_nonzero"] = result.pruned.nonzero
            row[f"{schedule}_check"] = result.check.status
        row["iterative_minus_oneshot_points"] = round(100 * (row["iterative"] - row["oneshot"]), 3)
        rows.append(row)
        say(f"{case['model']}: {row}")
    signs = {(row["iterative"] > row["oneshot"]) - (row["iterative"] < row["oneshot"]) for row in rows}
    return {
        **case,
        "median_oneshot": statistics.median(row["oneshot"] for row in rows),
        "median_iterative": statistics.median(row["iterative"] for row in rows),
        "better_in_every_seed": {frozenset({1}): "iterative", frozenset({-1}): "oneshot"}.get(frozenset(signs)),
        "seeds": rows,
    }


def main() -> int:
    figures = [measure(case) for case in CASES]
    fair = all(
        row["oneshot_check"] == row["iterative_check"] == "exact"
        and abs(row["oneshot_nonzero"] - row["iterative_nonzero"]) <= 0.001 * row["oneshot_nonzero"]
        for case in figures
        for row in case["seeds"]
    )
    return report("schedules", "equal steps, equal final size, every removal exact", fair, figures)


if __name__ == "__main__":
    sys.exit(main())
