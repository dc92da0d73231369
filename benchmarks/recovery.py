"""Does a pruned network come back? One-shot pruning and short fine-tuning, three seeds each.

    python -m benchmarks.recovery [--data-dir DIR] [--only mnist5k|cifar10]

Claims: every channel removal is exact; on mnist5k, LeNet-5 with half its channels loses at most 1.0 point (median
paired difference on test images, 5 epochs), with 90 % of its weights zero at most 0.5 point. For CIFAR-10 (30 % of the
channels, 2 epochs) all three accuracies are reported, without a limit.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass
from typing import Any

from benchmarks.common import report, say
from pruning.data.readers import describe_data
from pruning.runs.pipeline import run
from pruning.runs.recipe import Recipe
from pruning.runs.result_json import STAGES
from pruning.subject import open_subject
from pruning.training.finetune import choose_precision, default_hyperparameters

SEEDS = (0, 1, 2)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One setting and the largest loss that the claim allows, in points."""

    model: str
    data: str
    granularity: str
    sparsity: float
    epochs: int
    limit: float | None


CASES = (
    Case(model="lenet5", data="mnist5k", granularity="channel", sparsity=0.5, epochs=5, limit=1.0),
    Case(model="lenet5", data="mnist5k", granularity="weight", sparsity=0.9, epochs=5, limit=0.5),
    Case(model="resnet20", data="cifar10", granularity="channel", sparsity=0.3, epochs=2, limit=None),
    Case(model="vgg_small", data="cifar10", granularity="channel", sparsity=0.3, epochs=2, limit=None),
)


def default_recipe(model: str, data: str, epochs: float, **changes: Any) -> Recipe:
    """The recipe the command line would make with its defaults."""
    info = describe_data(data)
    hyper = default_hyperparameters(info)
    recipe = Recipe(
        model=f"sample:{model}",
        data=data,
        finetune_steps=info.steps_of(epochs, int(hyper["batch_size"])),
        batch_size=int(hyper["batch_size"]),
        lr=float(hyper["lr"]),
        shift=int(hyper["shift"]),
        precision=choose_precision(open_subject(f"sample:{model}").model),
    )
    return recipe.replace(**changes)


def measure(case: Case, data_dir: str | None) -> tuple[dict[str, Any], bool]:
    """Figures of a case over all seeds, and whether it keeps its claim."""
    runs = []
    for seed in SEEDS:
        recipe = default_recipe(
            case.model, case.data, case.epochs, granularity=case.granularity, sparsity=case.sparsity, seed=seed
        )
        result = run(recipe, data_dir=data_dir).result
        dense, pruned = result.dense, result.pruned
        assert dense.test is not None and pruned.test is not None and result.difference is not None, "it has images"
        runs.append(
            {
                "seed": seed,
                "check": result.check.status,
                "max_error": result.check.max_error,
                "dense_test": dense.test.value,
                "pruned_test": pruned.test.value,
                "difference_points": round(100 * result.difference.value, 3),
                "interval_points": [round(100 * end, 3) for end in result.difference.interval],
                "select": {name: found and found.value for name in STAGES for found in [getattr(result.stages, name)]},
                "params_left": pruned.params / dense.params,
                "nonzero_left": pruned.nonzero / dense.nonzero,
                "macs_left": pruned.macs / dense.macs,
                "speedup": {speedup.batch: speedup.span for speedup in result.speedups},
                "seconds": result.seconds,
            }
        )
        say(f"{case.model} {case.granularity} {case.sparsity:g} seed {seed}: {runs[-1]}")
    median = statistics.median(entry["difference_points"] for entry in runs)
    holds = all(entry["check"] == "exact" for entry in runs) and (case.limit is None or median >= -case.limit)
    return {**vars(case), "median_difference_points": median, "holds": holds, "runs": runs}, holds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", help="folder that holds cifar10.zip")
    parser.add_argument("--only", choices=("mnist5k", "cifar10"))
    args = parser.parse_args()
    measured = [measure(case, args.data_dir) for case in CASES if args.only in (None, case.data)]
    name = "recovery" if args.only is None else f"recovery-{args.only}"
    claim = "every removal exact; LeNet-5 loses at most 1.0 point (half the channels), 0.5 point (90 % of the weights)"
    return report(name, claim, all(holds for _, holds in measured), [figures for figures, _ in measured])


if __name__ == "__main__":
    sys.exit(main())
