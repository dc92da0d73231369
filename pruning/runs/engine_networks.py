"""The networks of a run as engines take them, with the images that they are measured on where these are here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, InputError, PruningError
from pruning.data.protocol import Data
from pruning.graph.inputs import Inputs
from pruning.latency.engines.answering import Answering
from pruning.latency.engines.candidate import Candidate
from pruning.latency.engines.eager import EAGER
from pruning.latency.engines.engine import Engine
from pruning.latency.engines.measure import Networks
from pruning.latency.turns import computing
from pruning.onnx.quantize import METHOD, quantize
from pruning.runs.engine_times import Calibration, Variant
from pruning.runs.pipeline import dense_of
from pruning.runs.result import Measurement
from pruning.runs.store import read_run
from pruning.runs.times import networks_of
from pruning.subject import Subject, open_subject
from pruning.training.answers import answer_side_by_side

CALIBRATION, AT_ONCE = 256, 32
"""Train images that int8 is calibrated on, and of these shown together."""
ONE_SIZE = "int8 needs a network that takes a batch of any size, and this one's code fixes it."


@dataclass(frozen=True, kw_only=True, eq=False)
class Opened:
    """Networks that are ready to be timed."""

    networks: Networks
    place: Path
    """Folder for their files."""
    data: Data | None
    """None where the images are not here."""
    lack: str | None
    """Why there are no images to measure on or to calibrate with, in a few words."""
    calibration: Calibration | None = None
    no_int8: str | None = None

    def quantized(self, cancel: Cancel) -> Opened:
        """The same with the pruned network in int8; where that cannot be, with the reason.

        Raises:
            Cancelled: `cancel()` became true.
        """
        if self.data is None:
            return replace(self, no_int8=f"int8 needs train images to calibrate with: {self.lack}.")
        try:
            with computing():
                index = _drawn(self.data)
                written = self.networks.pruned.onnx(1)
                if written.batch is not None:
                    return replace(self, no_int8=ONE_SIZE)
                file = quantize(
                    written,
                    _batches(self.data, index, self.data.at_once(AT_ONCE)),
                    self.place / "int8.onnx",
                    cancel=cancel,
                )
        except Cancelled:
            raise
        except PruningError as error:
            return replace(self, no_int8=str(error))
        pruned = self.networks.pruned
        int8 = Candidate(name="int8", inputs=pruned.inputs, folder=self.place, file=file, precision="int8")
        return replace(
            self,
            networks=replace(self.networks, int8=int8),
            calibration=Calibration(images=len(index), method=METHOD),
        )

    def variants(self, engines: Sequence[Engine], threads: int, cancel: Cancel) -> tuple[Variant, ...]:
        """The networks with the sizes of their files and what they answer: in PyTorch, and of int8 on each engine that
        runs it.

        Raises:
            InputError: an engine cannot run the int8 network.
            Cancelled: `cancel()` became true.
        """
        own = self.networks
        models: dict[str, nn.Module] = {"dense": own.dense.model, "pruned": own.pruned.model}
        if own.int8 is not None:
            for engine in engines:
                if "int8" in engine.precisions:
                    models[engine.name] = Answering(engine, own.int8, threads)
        found: dict[str, Measurement] = {}
        if self.data is not None and self.lack is None:
            with computing():
                answers = answer_side_by_side(models, self.data, "select", cancel=cancel)
            found = {name: Measurement.of(answer) for name, answer in answers.items()}
        variants = [
            Variant(kind="dense", bytes=own.dense.bytes, accuracy=_of(found, {EAGER.name: "dense"})),
            Variant(kind="pruned", bytes=own.pruned.bytes, accuracy=_of(found, {EAGER.name: "pruned"})),
        ]
        if own.int8 is not None:
            by_engine = {name: name for name in models if name not in ("dense", "pruned")}
            variants.append(Variant(kind="int8", bytes=own.int8.bytes, accuracy=_of(found, by_engine)))
        return tuple(variants)


def opened(folder: Path, place: Path) -> Opened:
    """The networks of the finished run in a folder. `place`: a folder for their files.

    Raises:
        InputError, StorageError: no finished run, or a network cannot be opened.
    """
    try:
        subject = _with_images(folder)
        dense = dense_of(subject)
    except PruningError as error:
        first, second, shape = networks_of(folder)
        return _opened(first, second, shape, place, None, str(error).rstrip("."))
    data, lack = _data_of(subject)
    shape = Inputs.of(subject.network.example_inputs).sample_shape
    return _opened(dense.model, subject.model, shape, place, data, lack)


def _opened(
    dense: nn.Module, pruned: nn.Module, shape: tuple[int, ...], place: Path, data: Data | None, lack: str | None
) -> Opened:
    inputs = Inputs.of(torch.randn(2, *shape, generator=torch.Generator().manual_seed(0)))
    first = Candidate(name="dense", inputs=inputs, folder=place, model=dense)
    second = Candidate(name="pruned", inputs=inputs, folder=place, model=pruned)
    return Opened(networks=Networks(dense=first, pruned=second), place=place, data=data, lack=lack)


def _with_images(folder: Path) -> Subject:
    run = read_run(folder)
    return open_subject(run.ref, run.recipe.data, run.data_dir, run.recipe.preprocess)


def _data_of(subject: Subject) -> tuple[Data | None, str | None]:
    """Images, and why nothing can be measured on them."""
    if not subject.has_images:
        return None, subject.missing or "its images are not here"
    try:
        return subject.data, subject.missing
    except PruningError as error:
        return None, str(error).rstrip(".")


def _drawn(data: Data) -> torch.Tensor:
    """Train images, drawn without a look at any label."""
    order = torch.randperm(data.length("train"), generator=torch.Generator().manual_seed(0))
    if not len(order):
        raise InputError("There are no train images to calibrate int8 with.")
    return order[:CALIBRATION].sort().values


def _batches(data: Data, index: torch.Tensor, size: int) -> Iterator[Inputs]:
    return (Inputs.of(data.normalise(images)) for images in data.in_turn("train", index.split(size)))


def _of(found: dict[str, Measurement], names: dict[str, str]) -> dict[str, Measurement]:
    return {engine: found[name] for engine, name in names.items() if name in found}
