"""A cut in a notebook: what goes, what that costs and saves, and the smaller network itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd
from torch import nn

from pruning.base.clone import clone
from pruning.base.errors import InputError
from pruning.base.words import percent, ratio
from pruning.cost.ledger import Ledger, remarks
from pruning.data.info import Role
from pruning.graph.inputs import Inputs
from pruning.latency.clock import Comparison, compare_latency
from pruning.latency.quietly import quietly
from pruning.notebook.accuracy import Accuracy, accuracy_of
from pruning.notebook.opened import Opened
from pruning.notebook.repaired import Repaired
from pruning.notebook.result import Result
from pruning.notebook.whole import whole
from pruning.planning.plan import Plan
from pruning.removal.apply import pruned_model
from pruning.removal.verify import carry_out
from pruning.render.preview import Savings, ledger_of, savings
from pruning.repair.kinds import CHOOSES, Repair
from pruning.repair.recalibrate import has_batch_norm, recalibrate
from pruning.runs import create_run, execute, read_run
from pruning.runs.recipe import Recipe, Schedule
from pruning.runs.repairing import masks_of, repaired
from pruning.runs.suitable import suitable_recipe
from pruning.runs.times import measure_times
from pruning.spec import PruneSpec


@dataclass(frozen=True, kw_only=True, eq=False)
class Cut:
    """What would go from a network; nothing is changed."""

    network: Opened
    plan: Plan
    spec: PruneSpec
    """What was asked for."""

    @property
    def savings(self) -> Savings:
        """Parameters, non-zero parameters and MACs, before and after: exact, by arithmetic."""
        return savings(self.network.subject, self.plan)

    @property
    def params(self) -> int:
        """Parameters that are left."""
        return self.savings.params

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one image that are left."""
        return self.savings.macs

    def accuracy(self, *, recalibrated: bool = False, role: Role = "select", images: int | None = None) -> Accuracy:
        """Accuracy before any fine-tuning. `recalibrated`: with batch-norm statistics measured anew on train images,
        where there are any.

        `images`: on so many of them; None for all. Look at the `test` role once, when all choices are made.

        Raises:
            InputError: the network comes without images, or there is no such role or number of images.
            DataError: they are absent.
        """
        model = self._copy()
        recalibrated = recalibrated and has_batch_norm(model)
        if recalibrated:
            recalibrate(model, self.network.images, seed=self.spec.seed)
        return accuracy_of(model, self.network, role, images, "recalibrated" if recalibrated else "as cut")

    def repair(self, kind: Repair = "refit") -> Repaired:
        """The smaller network with part of its accuracy won back, without training or labels: the best of a few ways on
        images held back (`pruning.repair.candidates`). `kind`: 'refit', or 'bias' for bias correction alone.

        Raises:
            InputError: there is no such kind, or the network comes without images.
            DataError: they are absent.
            RemovalError: a proof failed.
        """
        if kind not in CHOOSES:
            raise InputError(f"The kind of repair is {' or '.join(CHOOSES)}, not {kind!r}.")
        subject = self.network.subject
        images = self.network.images
        cut, check = carry_out(subject.model, subject.graph, self.plan)
        note, model, check = repaired(
            kind, subject, subject.model, cut, self.plan, masks_of(subject, cut, self.plan), check, seed=self.spec.seed
        )
        if model is None:
            model = clone(cut)
            recalibrate(model, images, seed=self.spec.seed)
        return Repaired(network=self.network, how=note, check=check, made=model.eval())

    def latency(self, batch: int = 1) -> Comparison:
        """Dense and pruned on this machine's clock, timed in turn; `.verdict` says what it shows, also where it was
        too noisy."""
        batch = whole("batch", batch, 1)
        shape = self.network.subject.graph.example_shape
        with quietly("time") as quiet:
            return compare_latency(self.network.subject.model, self._copy(), shape, batch, rest=quiet.rest)

    def model(self, *, masks: bool = False) -> nn.Module:
        """The smaller network, proven equal to the masked one; for weights the same network with zeros.

        `masks`: these zeros stay zero when you train it, by masks of `torch.nn.utils.prune`.

        Raises:
            RemovalError: the proof failed.
        """
        subject = self.network.subject
        model = carry_out(subject.model, subject.graph, self.plan)[0]
        if masks:
            from pruning.export.bundle.shipped.load import hold_zeros

            inputs = Inputs.of(subject.network.example_inputs)
            hold_zeros(model, self.plan.masks, lambda: inputs.call(model))
        return model

    def _copy(self) -> nn.Module:
        """The network with the plan carried out, unproven."""
        return pruned_model(self.network.subject.model, self.network.subject.graph, self.plan)

    def ledger(self) -> Ledger:
        """Dense beside pruned in every currency; `pruning.cost.ledger.remarks` says where they disagree."""
        return ledger_of(self.network.subject, self.plan)

    def run(
        self,
        *,
        finetune_epochs: float = 2,
        schedule: Schedule = "oneshot",
        rounds: int = 1,
        progress: Callable[[dict[str, Any]], None] | None = None,
    ) -> Result:
        """Prune for real, fine-tune, and measure on test images; kept as a run, as the app and the shell do.

        `progress` gets events such as {"stage": "finetune", "step": 10, "steps": 186, "loss": 0.2}.

        Raises:
            PruningError: the run failed, or the network comes without images.
        """
        self.network.subject.check("run")
        folder = create_run(self.recipe(finetune_epochs, schedule, rounds), data_dir=self.network.subject.data_dir)
        execute(folder, progress=progress)
        measure_times(folder)
        return Result(run=read_run(folder))

    def recipe(self, finetune_epochs: float = 2, schedule: Schedule = "oneshot", rounds: int = 1) -> Recipe:
        """The recipe of a run that makes this cut."""
        return suitable_recipe(
            self.network.subject, self.spec, epochs=finetune_epochs, schedule=schedule, rounds=rounds
        )

    def table(self) -> pd.DataFrame:
        """What each layer keeps."""
        rows = [
            {"layer": row.name, "group": row.group or "", "kept": row.kept, "of": row.total, "removed": row.achieved}
            for row in self.plan.layers
        ]
        return pd.DataFrame(rows).set_index("layer")

    def __repr__(self) -> str:
        found = self.savings
        return (
            f"{self.network.title}, {self._words()}: "
            f"parameters {found.dense_params:,} → {found.params:,}, not zero {found.nonzero:,}, "
            f"MACs {found.dense_macs:,} → {found.macs:,}"
        )

    def _words(self) -> str:
        spec = self.spec
        words = f"{percent(spec.sparsity, 0)} of the {spec.info.title} by {spec.criterion}"
        return ", ".join((words, *(f"{name} {percent(value, 0)}" for name, value in spec.layers)))

    def _repr_html_(self) -> str:
        found = self.savings
        rows = (
            ("parameters", found.dense_params, found.params),
            ("parameters that are not zero", found.dense_nonzero, found.nonzero),
            ("MACs of one image", found.dense_macs, found.macs),
        )
        body = "".join(
            f"<tr><th>{title}</th><td>{dense:,}</td><td>{left:,}</td>"
            f"<td>{'same' if dense == left else ratio(dense, max(1, left))}</td></tr>"
            for title, dense, left in rows
        )
        notes = "".join(f"<li>{escape(said.text)}</li>" for said in remarks(self.ledger()) if said.about != "file")
        return (
            f"<p><b>{escape(self.network.title)}</b>, {escape(self._words())}</p>"
            f"<table><thead><tr><td></td><th>dense</th><th>cut</th><th></th></tr></thead><tbody>{body}</tbody></table>"
            f"<ul>{notes}</ul>"
        )
