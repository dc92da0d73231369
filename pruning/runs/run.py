"""A run as its folder shows it, with methods for everything that the folder holds."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from torch import Tensor

from pruning.base.errors import DataError, InputError, StorageError
from pruning.base.files import read_bytes
from pruning.data.info import DataInfo
from pruning.data.preprocess import Preprocess
from pruning.data.readers import describe_data, is_on_this_machine_alone, without_path
from pruning.graph.model_graph import ModelGraph
from pruning.jobs.status import State, Status
from pruning.planning.allocation import same_cut
from pruning.runs.checkpoint import kept_step
from pruning.runs.engine_times import EngineTimes, read_engine_times
from pruning.runs.events import RunEvents
from pruning.runs.files import ANSWERS, MODEL, STAGES
from pruning.runs.job import read_events, read_status
from pruning.runs.recipe import Recipe
from pruning.runs.result import Measurement, Result, Stages
from pruning.runs.saved_model import read_origin
from pruning.runs.summary import Figures, Span, Summary, family_of, network_of, preprocess_text, settings_text
from pruning.spec import PruneSpec
from pruning.training.answers import Answers, read_answers

LARGEST_MODEL = 16 * 2**30
"""Bytes of weights."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as its folder shows it."""

    path: Path
    state: State
    recipe: Recipe
    created: datetime
    """With its zone."""
    data_dir: str | None = None
    """Where it was told to find its images; None for the usual places."""
    brought: bool = False
    """Whether it came in a file, so that all its figures are as that file states them."""
    result: Result | None
    """None until it is done."""
    message: str | None
    """Why it failed or was cancelled, in one sentence."""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def ref(self) -> str:
        """Reference of the network that it leads to."""
        return f"run:{self.path}"

    @property
    def asked(self) -> tuple[float, float]:
        """The smallest and the largest sparsity that was asked for, over all layers or groups."""
        if self.result is not None and self.result.layers:  # only then it is known whether the recipe names every layer
            values = [layer.requested for layer in self.result.layers]
        else:
            values = [self.recipe.prune.sparsity, *dict(self.recipe.prune.layers).values()]
        return min(values), max(values)

    @property
    def origin(self) -> str:
        """Reference of the dense network that it goes back to, also through other runs; '' where that is not known."""
        kind, _, rest = self.recipe.model.partition(":")
        if kind != "run":
            return self.recipe.model
        for folder in (self.path, Path(rest)):
            try:
                return read_origin(folder)
            except StorageError:
                continue
        return ""

    @property
    def network(self) -> str:
        """Name of the dense network that it goes back to, without its kind, folder and options; 'unknown' where that is
        not known."""
        return network_of(self.origin)

    @property
    def summary(self) -> Summary:
        """What lists show of it; without anybody's label."""
        recipe, result = self.recipe, self.result
        speedup, change = (None, None) if result is None else (result.speedup(), result.difference)
        stages = Stages() if result is None else result.stages
        start = stages.as_cut
        least, most = self.asked
        return Summary(
            path=self.path,
            state=self.state,
            message=self.message,
            created=self.created.astimezone(UTC),
            model=recipe.model,
            data=recipe.data,
            preprocess=preprocess_text(recipe.preprocess),
            origin=self.origin,
            root=self._root,
            granularity=recipe.prune.granularity,
            criterion=recipe.prune.criterion,
            seed=recipe.prune.seed,
            least=least,
            most=most,
            removes_nothing=recipe.prune.removes_nothing,
            schedule=recipe.schedule,
            iterations=recipe.iterations,
            finetune_steps=recipe.finetune_steps,
            repair=recipe.repair,
            family=family_of(recipe),
            settings=settings_text(recipe),
            epochs=self._epochs,
            dense=None if result is None else Figures.of(result.dense),
            pruned=None if result is None else Figures.of(result.pruned),
            tuned=stages.finetuned is not None,
            as_cut=_span(start),
            recalibrated=_span(stages.recalibrated),
            repaired=_span(stages.repaired),
            finetuned=_span(stages.finetuned),
            dense_select=None if result is None else _span(result.dense_select),
            select_metric=None if start is None else start.metric,
            images_digest=None if result is None or result.data is None else result.data.sha256,
            weights_digest=None if result is None else result.model_digest,
            looks=None if result is None else result.looks,
            difference=None if change is None else (change.interval[0], change.value, change.interval[1]),
            speedup=None if speedup is None else speedup.span,
        )

    @property
    def images(self) -> str:
        """Name of its images, without a folder."""
        return without_path(self.recipe.data)

    def dense_ref(self) -> str:
        """`origin` of a finished run.

        Raises:
            StorageError: its folder does not say.
        """
        try:
            return read_origin(self.path)
        except StorageError as error:
            raise StorageError(
                f"The files of {self.name} do not say which network it began from: do it again."
            ) from error

    def result_of(
        self, graph: ModelGraph, spec: PruneSpec, *, model: str, data: str, preprocess: Preprocess | None = None
    ) -> Result | None:
        """Its result, if it is done and removed just what `spec` does from the same network (`graph`), with the same
        images, prepared alike."""
        recipe = self.recipe
        same = (recipe.model, recipe.data, recipe.preprocess) == (model, data, preprocess) and same_cut(
            graph, self.recipe.prune, spec
        )
        return self.result if same else None

    def continued(self, epochs: float) -> Recipe:
        """The recipe of a run that fine-tunes its model for longer and removes nothing more."""
        return self.recipe.replace(
            model=self.ref,
            sparsity=0.0,
            layers=(),
            schedule="oneshot",
            iterations=1,
            finetune_steps=self._described().steps_of(epochs, self.recipe.batch_size),
            seed=self.recipe.prune.seed + 1,
        )

    @property
    def _root(self) -> str | None:
        try:
            return None if self.result is None else read_origin(self.path)
        except StorageError:
            return None

    @property
    def _epochs(self) -> float | None:
        """Images of one's own are not opened for it: a finished run says how many they were."""
        used, recipe = None if self.result is None else self.result.data, self.recipe
        train = 0 if used is None else used.sizes.get("train", 0)
        if not train and not is_on_this_machine_alone(recipe.data):
            with suppress(InputError, DataError):
                train = describe_data(recipe.data).sizes.get("train", 0)
        return recipe.finetune_steps / max(1, train // recipe.batch_size) if train else None

    def _described(self) -> DataInfo:
        """Its images, as it had them prepared."""
        return describe_data(self.recipe.data, self.recipe.preprocess)

    def engine_times(self) -> EngineTimes | None:
        """What its networks take on several engines; None where that was not measured.

        Raises:
            StorageError: the file is damaged.
        """
        return read_engine_times(self.path)

    def answers(self) -> dict[str, Answers]:
        """What 'dense' and 'pruned' answered to the test images; empty where the run kept no answers.

        Raises:
            StorageError: the file is damaged.
        """
        return self._answers(ANSWERS)

    def stage_answers(self) -> dict[str, Answers]:
        """What 'dense' answered to the select images, and the pruned network at each stage of the last round, by the
        names of `Stages`; empty where the run kept none.

        Raises:
            StorageError: the file is damaged.
        """
        return self._answers(STAGES)

    def _answers(self, file: str) -> dict[str, Answers]:
        path = self.path / file
        if not path.exists():
            return {}
        found = read_answers(path)
        known = None if self.result is None or self.result.data is None else self.result.data.classes
        for choices in (side.choices for side in found.values() if side.choices is not None):
            if choices.labels is None:  # then nothing says how many classes there are
                continue
            classes = len(self._described().classes) if known is None else known
            if not _within(choices.labels, 0, classes) or not _within(choices.predicted, -1, classes):
                raise StorageError(
                    f"The answers in {path.name} are to images of other classes than {self.recipe.data} has: run the "
                    "recipe again."
                )
        return found

    def events(self) -> RunEvents:
        """What the run has told so far.

        Raises:
            StorageError: its folder cannot be read.
        """
        return read_events(self.path)

    def status(self) -> Status:
        """How it stands now.

        Raises:
            StorageError: its folder cannot be read.
        """
        return read_status(self.path)

    def kept_step(self) -> int | None:
        """Step of fine-tuning, within its round, after which it can go on; None where nothing was kept."""
        return kept_step(self.path)

    def weights(self) -> bytes:
        """The file of the pruned network's weights, once the run is done.

        Raises:
            StorageError: it cannot be read.
        """
        content = read_bytes(self.path / MODEL, most_bytes=LARGEST_MODEL)
        if content is None:
            raise StorageError(f"{MODEL} of {self.name} cannot be read: it is gone. Run its recipe again.")
        return content


def _within(numbers: Tensor, low: int, end: int) -> bool:
    return not numbers.numel() or (int(numbers.min()) >= low and int(numbers.max()) < end)


def _span(found: Measurement | None) -> Span | None:
    return None if found is None else (found.interval[0], found.value, found.interval[1])
