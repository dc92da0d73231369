"""Does it pay to repair before fine-tuning, when both ways may take the same time?

    python -m benchmarks.repair_tuning rates [--data-dir DIR]
    python -m benchmarks.repair_tuning run [--data-dir DIR]
    python -m benchmarks.repair_tuning plot FILE.html

ResNet-20 and VGG small on CIFAR-10, cut uniformly by L2 norm to a half and a third of their MACs. One way: batch norm
recalibrated, then distillation from the unpruned network for N steps. The other: repaired, then distillation for so
many steps fewer as the repair takes time. Accuracy on 5,000 select images; paired intervals.

`rates` measures what a step and a repair take, on an idle machine, so that budgets in seconds become steps: what else
the machine does while `run` goes on no longer matters. `run` can be interrupted, and goes on after the last pair that
was finished. Claim: at 100 s, over three seeds, repair is nowhere worse beyond its interval. `plot` draws the gain by
budget of the first seed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.common import RESULTS, report, say
from pruning.base.clone import clone
from pruning.cost.table import cost_table
from pruning.planning.plan import Plan, make_plan
from pruning.removal.apply import pruned_model
from pruning.repair.recalibrate import recalibrate
from pruning.repair.repair import repair
from pruning.spec import PruneSpec
from pruning.subject import Subject, open_subject
from pruning.training.evaluate import Evaluation, evaluate
from pruning.training.finetune import TrainConfig, choose_precision, default_hyperparameters, seconds_per_step, train

NETWORKS = ("resnet20", "vgg_small")
PARTS = (2, 3)
"""MACs are divided by these."""
BUDGET, SEEDS = 100, (0, 1, 2)
CURVE = (0, 30, 100, 300)
SELECT = 5000
NAME = "repair-tuning"
COLOURS, SYMBOLS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7"), ("circle", "square", "diamond", "x")


def sparsity_for(subject: Subject, share: float) -> float:
    """The least uniform sparsity, in steps of 0.5 %, that leaves at most this share of the MACs."""
    table = cost_table(subject.graph)
    allowed = share * table.count({}).macs
    for step in range(1, 200):
        plan = make_plan(subject.model, subject.graph, PruneSpec(sparsity=step / 200, criterion="l2"))
        if table.count(plan.counts).macs <= allowed:
            return step / 200
    raise ValueError(f"no sparsity leaves {share:.0%} of the MACs")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One network cut to one size."""

    network: str
    part: int
    data_dir: str | None

    @property
    def name(self) -> str:
        return f"{self.network} ÷{self.part}"

    @cached_property
    def subject(self) -> Subject:
        return open_subject(f"sample:{self.network}", "cifar10", self.data_dir)

    @cached_property
    def plan(self) -> Plan:
        sparsity = sparsity_for(self.subject, 1 / self.part)
        return make_plan(self.subject.model, self.subject.graph, PruneSpec(sparsity=sparsity, criterion="l2"))

    def cut(self) -> nn.Module:
        return pruned_model(self.subject.model, self.subject.graph, self.plan)

    def recalibrated(self, seed: int) -> nn.Module:
        model = self.cut()
        recalibrate(model, self.subject.data, seed=seed)
        return model

    def repaired(self, seed: int) -> nn.Module:
        subject = self.subject
        return repair(
            "refit", subject.model, self.cut(), subject.graph, self.plan, subject.data, subject.task, seed=seed
        ).model

    def config(self, steps: int, seed: int) -> TrainConfig:
        hyper = default_hyperparameters(self.subject.data.info)
        return TrainConfig(steps=steps, seed=seed, precision=choose_precision(self.subject.model), **hyper)

    def tuned(self, model: nn.Module, steps: int, seed: int) -> Evaluation:
        model = clone(model)
        train(model, self.subject.data, self.config(steps, seed), teacher=self.subject.model)
        return evaluate(model, self.subject.data, "select", limit=SELECT)


def rates(cases: Sequence[Case]) -> dict[str, Any]:
    """Seconds of a step and of a repair."""
    found = {}
    for case in cases:
        measured = partial(seconds_per_step, case.cut(), case.subject.data, case.config(0, 0), 20)
        steps, repairs, statistics_s = [], [], []
        for _ in range(3):
            steps.append(measured(teacher=case.subject.model))
            for times, way in ((repairs, case.repaired), (statistics_s, case.recalibrated)):
                started = time.perf_counter()
                way(0)
                times.append(time.perf_counter() - started)
        found[case.name] = {
            "step_s": statistics.median(steps),
            "repair_s": statistics.median(repairs) - statistics.median(statistics_s),
            "each": {"step_s": steps, "repair_s": repairs, "recalibration_s": statistics_s},
        }
        say(f"{case.name}: {found[case.name]}")
    return found


def pair(case: Case, budget: int, seed: int, rate: dict[str, float]) -> dict[str, Any]:
    """Both ways with one budget and seed."""
    steps = round(budget / rate["step_s"])
    fewer = max(0, round((budget - rate["repair_s"]) / rate["step_s"]))
    tuned = case.tuned(case.recalibrated(seed), steps, seed)
    repaired = case.tuned(case.repaired(seed), fewer, seed)
    gain = repaired.minus(tuned)
    row = {
        "case": case.name,
        "budget_s": budget,
        "seed": seed,
        "steps": [steps, fewer],
        "tuned": tuned.value,
        "repaired_tuned": repaired.value,
        "gain_points": round(100 * gain.value, 2),
        "interval": [round(100 * end, 2) for end in gain.interval],
    }
    say(str(row))
    return row


def run(cases: Sequence[Case]) -> int:
    """All pairs that are missing; those that the claim rests on first."""
    kept = earlier()
    rows = kept["rows"]
    done = {(row["case"], row["budget_s"], row["seed"]) for row in rows}
    wanted = [(BUDGET, seed) for seed in SEEDS] + [(budget, SEEDS[0]) for budget in CURVE if budget != BUDGET]
    for budget, seed in wanted:
        for case in cases:
            if (case.name, budget, seed) not in done:
                rows.append(pair(case, budget, seed, kept["rates"][case.name]))
                write(kept)
    return write(kept)


def earlier() -> dict[str, Any]:
    """What an earlier call kept."""
    path = RESULTS / f"{NAME}.json"
    empty: dict[str, Any] = {"rates": {}, "rows": []}
    return json.loads(path.read_text())["figures"] if path.exists() else empty


def write(figures: dict[str, Any]) -> int:
    """Keep what is there, with what it says so far."""
    at_budget = [row for row in figures["rows"] if row["budget_s"] == BUDGET]
    figures["seeds"] = {
        name: {
            "mean_gain_points": round(statistics.mean(row["gain_points"] for row in rows), 2),
            "each": [row["gain_points"] for row in rows],
            "worse_beyond_interval": any(row["interval"][1] < 0 for row in rows),
        }
        for name in sorted({row["case"] for row in at_budget})
        for rows in [[row for row in at_budget if row["case"] == name]]
    }
    figures["complete"] = len(at_budget) == len(NETWORKS) * len(PARTS) * len(SEEDS)
    holds = figures["complete"] and not any(one["worse_beyond_interval"] for one in figures["seeds"].values())
    return report(NAME, "repair, then distillation, is nowhere worse than distillation at equal time", holds, figures)


APART = 0.09
"""Between the points of two networks at one budget."""


def plot(out: Path) -> int:
    """Gain by budget, a point a network with its interval, as a page with one figure: without any training at a scale
    of its own, since it is far larger."""
    from plotly.subplots import make_subplots

    rows = [row for row in earlier()["rows"] if row["seed"] == SEEDS[0]]
    names, budgets = (list(dict.fromkeys(row[key] for row in rows)) for key in ("case", "budget_s"))
    parts = [sorted(b for b in budgets if not b), sorted(b for b in budgets if b)]
    figure = make_subplots(cols=2, column_widths=[max(1, len(part)) for part in parts], horizontal_spacing=0.1)
    for number, name in enumerate(names):
        for column, part in enumerate(parts, 1):
            line = [row for budget in part for row in rows if (row["case"], row["budget_s"]) == (name, budget)]
            figure.add_scatter(
                x=[part.index(row["budget_s"]) + APART * (number - (len(names) - 1) / 2) for row in line],
                y=[row["gain_points"] for row in line],
                name=name,
                mode="markers",
                marker={"size": 9, "color": COLOURS[number % len(COLOURS)], "symbol": SYMBOLS[number % len(SYMBOLS)]},
                showlegend=column == 1,
                error_y={
                    "array": [row["interval"][1] - row["gain_points"] for row in line],
                    "arrayminus": [row["gain_points"] - row["interval"][0] for row in line],
                    "type": "data",
                },
                row=1,
                col=column,
            )
    for column, part in enumerate(parts, 1):
        texts = [f"{budget} s" for budget in part]
        figure.update_xaxes(tickvals=list(range(len(part))), ticktext=texts, range=[-0.5, len(part) - 0.5], col=column)
    figure.update_yaxes(title="points that repair is ahead", rangemode="tozero", col=1)
    figure.add_hline(y=0, line_width=1, line_dash="dot")
    figure.update_layout(
        template="plotly_white",
        width=800,
        height=400,
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
        legend={"title": "MACs", "orientation": "h", "y": -0.12},
    )
    figure.write_html(out, include_plotlyjs=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rates", "run", "plot"))
    parser.add_argument("out", nargs="?", type=Path, help="where the plot goes")
    parser.add_argument("--data-dir", help="folder that holds cifar10.zip")
    args = parser.parse_args()
    if args.what == "plot":
        if args.out is None:
            parser.error("plot takes the file it is to write.")
        return plot(args.out)
    cases = [Case(network=name, part=part, data_dir=args.data_dir) for name in NETWORKS for part in PARTS]
    if args.what == "rates":
        return write({"rates": rates(cases), "rows": []})
    return run(cases)


if __name__ == "__main__":
    sys.exit(main())
