"""What every page, command and job works on: a network, its images, its task, and what it lacks for what."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import torch
from torch import nn
from torch.utils._pytree import tree_map

from pruning.base.clone import clone
from pruning.base.errors import InputError
from pruning.catalog.network import Network
from pruning.catalog.openers import at_size, open_network
from pruning.catalog.wrapped import unwrapped
from pruning.data.info import DataInfo
from pruning.data.preprocess import Preprocess
from pruning.data.protocol import Data
from pruning.data.readers import describe_data, open_data
from pruning.fitting import at_shape, fit, names_of, output_shape, sample_shape
from pruning.graph.inputs import Inputs
from pruning.graph.model_graph import ModelGraph
from pruning.images import Images, in_its_classes, taught
from pruning.removal.build import build_graph
from pruning.spec import PruneSpec
from pruning.tasks.classification import CLASSIFICATION
from pruning.tasks.table import task_of
from pruning.tasks.task import Task

Part = Literal["images", "labels", "training", "reference"]
Use = Literal["measure", "scan", "run"]
NEEDS: dict[Use, tuple[Part, ...]] = {
    "measure": ("images", "labels", "training"),
    "scan": ("images", "labels", "training"),
    "run": ("images", "labels", "training", "reference"),
}
"""What each use cannot do without; a run fine-tunes, and is carried out by another process."""
WORDS: dict[Use, str] = {"measure": "measured", "scan": "scanned", "run": "pruned and fine-tuned"}


@dataclass(frozen=True, kw_only=True)
class Lack:
    """Something that a subject does not have."""

    part: Part
    words: str
    """What is missing, to go on 'accuracy is absent: …'."""
    remedy: str
    """What would add it, as an order: 'name a data set'."""


class Traced:
    """A network's graph, found when somebody first asks for it."""

    def __init__(self, network: Network) -> None:
        self._network, self._lock = network, threading.Lock()
        self._graph: ModelGraph | None = None

    @property
    def graph(self) -> ModelGraph:
        """Raises InputError where the network cannot be traced."""
        with self._lock:
            if self._graph is None:
                self._graph = build_graph(self._network.model, self._network.example_inputs)
            return self._graph


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A network with its images, its task and its device. `model` is shared: copy it before changing anything."""

    network: Network
    images: Images | None = None
    """None where it has none."""
    device: Literal["cpu"] = "cpu"
    """Where it computes."""
    traced: Traced

    @staticmethod
    def of(network: Network) -> Subject:
        """A network without images."""
        return Subject(network=network, traced=Traced(network))

    @property
    def ref(self) -> str:
        return self.network.ref

    @property
    def title(self) -> str:
        return self.network.title

    @property
    def model(self) -> nn.Module:
        return self.network.model

    @property
    def digest(self) -> str:
        """SHA-256 of all weights."""
        return self.network.digest

    @property
    def identity(self) -> str:
        """SHA-256 of all weights and of what is computed with them, for inputs of which size: what is measured of one
        network does not hold for another of the same weights.

        Raises:
            InputError: it cannot be traced.
        """
        return hashlib.sha256(f"{self.digest} {self.graph.digest}".encode()).hexdigest()

    @property
    def graph(self) -> ModelGraph:
        """Its channel groups and all that is known of its calls.

        Raises:
            InputError: it cannot be traced.
        """
        return self.traced.graph

    @property
    def task(self) -> Task:
        """What is measured and learnt: as its images say, classification where there are none."""
        return CLASSIFICATION if self.images is None else task_of(self.images.info)

    @property
    def info(self) -> DataInfo:
        """What its images are.

        Raises:
            InputError: it has none.
        """
        if self.images is None:
            raise _refusal(self, "measure", self.lacks[0])
        return self.images.info

    @property
    def data(self) -> Data:
        """Its images, opened at first use.

        Raises:
            InputError: it has none.
            DataError: they are absent or damaged.
        """
        if self.images is None:
            raise _refusal(self, "measure", self.lacks[0])
        return self.images.open()

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """All that it does not have, and what would add it."""
        found: list[Lack] = []
        if self.images is None:
            words = "this network comes without images here"
            found.append(
                Lack(part="images", words=words, remedy="use a sample network or a run's model, or name images")
            )
        else:
            if not self.images.here:
                words = "the images are not on this machine"
                found.append(Lack(part="images", words=words, remedy="fetch them, or name the folder that holds them"))
            if not self.images.info.labelled and self.task.needs_labels:
                words = "it is not known what is right for these images"
                found.append(Lack(part="labels", words=words, remedy="use images that are sorted into classes"))
        if self.network.untrained:
            words = "its weights are random, so that nothing it answers means anything"
            default = "" if self.ref.startswith("file:") else "weights=default or "
            found.append(Lack(part="training", words=words, remedy=f"add {default}weights=FILE to its reference"))
        if not self.ref:
            words = "it lives in this process alone, and a run is carried out by another one"
            found.append(
                Lack(part="reference", words=words, remedy="open it by reference, such as file:PATH.py:FACTORY")
            )
        return tuple(found)

    def named(self, output: int) -> str:
        """What an output stands for: its class's name, or 'class 7' where it has none; 'no answer' for −1."""
        if output < 0 or (self.images is not None and self.images.info.classes):
            return self.info.answer(output)
        names = names_of(self.network)
        own = names[output] if output < len(names) else ()
        return own[-1] if own else f"class {output}"

    @property
    def preprocess(self) -> Preprocess | None:
        """How its images are prepared; None where it has none, or where they are as they are."""
        return None if self.images is None else self.images.info.preprocess

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was guessed, left out or noticed of the network and its images, each a whole sentence."""
        return (*self.network.remarks, *(() if self.images is None else self.images.info.remarks))

    @property
    def data_name(self) -> str:
        """Reference of its images; '' where it has none."""
        return "" if self.images is None else self.images.info.name

    @property
    def data_dir(self) -> str | None:
        """Folder or zip that holds its images, where one was named."""
        return None if self.images is None else self.images.data_dir

    @property
    def has_images(self) -> bool:
        """Whether its images can be opened; weights, costs and times can be shown without."""
        return self.images is not None and self.images.here

    @property
    def missing(self) -> str | None:
        """Why nothing can be measured of its answers, to go on 'accuracy is absent: …'; None where it can."""
        lack = self.why_not("measure")
        return None if lack is None else lack.words

    def why_not(self, use: Use) -> Lack | None:
        """The first thing that it lacks for a use; None where it lacks nothing."""
        return next((lack for part in NEEDS[use] for lack in self.lacks if lack.part == part), None)

    def check(self, use: Use) -> None:
        """Raises InputError where it lacks something for a use."""
        lack = self.why_not(use)
        if lack is not None:
            raise _refusal(self, use, lack)

    def images_for(self, spec: PruneSpec) -> Data | None:
        """Its images, where a spec's criterion needs them and they are here."""
        return self.data if spec.needs_images and self.has_images else None

    def with_data(
        self,
        reference: str,
        data_dir: str | None = None,
        preprocess: Preprocess | None = None,
        opening: Callable[..., Data] = open_data,
    ) -> Subject:
        """The same network with images by reference, prepared as `preprocess` says, else as the network's library or
        weights do, else as suits the images. A network by name is opened for images of the size that is asked for.

        Raises:
            InputError: it cannot look at them, or its answers cannot be about them.
            DataError: it cannot be told what they are.
        """
        fitted = fit(self.network, reference, preprocess)
        wanted = None if fitted.by_default else fitted.preprocess
        own = self if preprocess is None else self._at_size(preprocess)
        return own.with_images(Images.named(reference, data_dir, opening, wanted).as_told(fitted.remarks))

    def _at_size(self, preprocess: Preprocess) -> Subject:
        """A network by name, opened for images of another size than the one that it is opened for."""
        shape = sample_shape(self.network)
        if not self.ref or shape is None or shape[-2:] == preprocess.size:
            return self
        ref = at_size(self.ref, preprocess.size)
        return self if ref == self.ref else Subject.of(open_network(ref))

    def with_images(self, images: Images | None) -> Subject:
        """The same network with these images. Their classes become the network's, by name; where they have no labels,
        its task is to answer as the unpruned network does.

        Raises:
            InputError: it cannot look at them, or its answers cannot be about them.
        """
        if images is None:
            return replace(self, images=None)
        network = at_shape(self.network, images.info.shape)
        own = self if network is self.network else Subject(network=network, traced=Traced(network))
        images = in_its_classes(images, own.network)
        if not images.info.labelled and images.info.task == CLASSIFICATION.name:
            images = taught(images, own.network)
        own.check_fits(images.info)
        return replace(own, images=images, device=self.device)

    def check_fits(self, info: DataInfo) -> None:
        """Raises InputError where it cannot look at such images, or its answers cannot be about them."""
        known = self.network.data
        if info.name in known and info.preprocess is None:
            return
        if known and info.preprocess is None:
            own = describe_data(known[0])
            if (info.shape, info.classes, info.task) != (own.shape, own.classes, own.task):
                raise InputError(
                    f"{self.title} cannot be used with {info.name}: its images or classes are other ones. "
                    f"Use {' or '.join(known)}."
                )
            return
        shape = Inputs.of(self.network.example_inputs).sample_shape
        if shape != info.shape:
            taken, given = ("×".join(map(str, sizes)) for sizes in (shape, info.shape))
            raise InputError(
                f"{self.title} cannot be used with {info.name}: it takes images of {taken}, and these are {given}."
            )
        outputs = self.graph.output_shape if info.preprocess is None else output_shape(self.network)
        reason = task_of(info).misfit(outputs, info)
        if reason is not None:
            raise InputError(f"{self.title} cannot be used with {info.name}: {reason}.")


def open_subject(
    ref: str, data: str | None = None, data_dir: str | None = None, preprocess: Preprocess | None = None
) -> Subject:
    """Open a network by reference, with images by reference; no image is read before it is asked for.

    `data`: None for the network's own data set, where it has one. `data_dir`: folder or zip that holds the images.
    `preprocess`: how they are prepared; None for what the network's library or weights say, else what suits them.

    Raises:
        InputError: there is no such network or data set, or they do not fit each other.
        StorageError: a run is unfinished or damaged.
        DataError: it cannot be told what the images are.
    """
    if data is not None:
        describe_data(data, preprocess)  # refused before it is opened
    subject = Subject.of(open_network(ref))
    if data is None and subject.network.data:
        data = subject.network.data[0]
    return subject if data is None else subject.with_data(data, data_dir, preprocess)


def live_subject(model: nn.Module, example_inputs: Any, title: str | None = None) -> Subject:
    """A copy of a module of this process as it is now, without what is wrapped around it and without images.

    `example_inputs`: a tensor, a tuple of arguments or a dict of keyword arguments, with a batch dimension first; or
    the shape of one sample.

    Raises:
        InputError: the module cannot be copied.
    """
    model, _ = unwrapped(model)
    copy, weights = clone(model).eval(), "as they are in this process"
    halves = {tensor.dtype for tensor in copy.parameters()} & {torch.float16, torch.bfloat16}
    if halves:
        copy, example_inputs = copy.float(), tree_map(_in_full, example_inputs)
        weights += f", turned into float32 from {', '.join(str(kind).removeprefix('torch.') for kind in halves)}"
    return Subject.of(
        Network(
            ref="",
            title=title or type(model).__name__,
            model=copy,
            example_inputs=example_inputs,
            weights=weights,
        )
    )


def _in_full(value: Any) -> Any:
    """A tensor of half precision in float32; anything else as it is."""
    is_half = isinstance(value, torch.Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if is_half else value


def _refusal(subject: Subject, use: Use, lack: Lack) -> InputError:
    return InputError(
        f"{subject.title} cannot be {WORDS[use]}: {lack.words}. {lack.remedy[:1].upper()}{lack.remedy[1:]}."
    )


assert set(get_args(Use)) == set(NEEDS) == set(WORDS)
