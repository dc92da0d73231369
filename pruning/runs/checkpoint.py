"""Where a run stands, kept every few seconds: whoever goes on after a kill, a cancel or a restart begins there.

One file in the run's folder, written whole or not at all, and gone once the run is done. It holds what the rest of the
run follows from: the plan, the network's values, and where training stands.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from pruning.base.errors import PruningError, StorageError
from pruning.base.fields import Fields
from pruning.base.files import replace_file
from pruning.base.safe_json import load_object
from pruning.granularity import GRANULARITIES
from pruning.planning.plan import Plan
from pruning.removal.apply import named_tensors
from pruning.removal.verify import Check
from pruning.runs.files import CHECKPOINT
from pruning.runs.result import FinishedRound, Stages
from pruning.runs.result_json import (
    check_of,
    layer_of,
    round_of,
    round_values,
    stages_of,
    stages_values,
)
from pruning.training.answers import Answers, from_tensors, to_tensors
from pruning.training.state import TrainState

VERSION = 1
EVERY_SECONDS = 10.0
"""Between two of them; more where writing one takes long, but never more than 15 from the end of one to the next."""
MOST_SECONDS = 15.0
SHARE = 0.1
"""Of the time that writing may take."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """Where a run stands within one of its rounds."""

    round: int
    plan: Plan
    check: Check
    finished: tuple[FinishedRound, ...]
    """Rounds before this one."""
    stages: Stages
    """Of this round, as far as it has come."""
    training: TrainState | None
    """None: it has not begun."""
    held: dict[str, Tensor] = field(default_factory=dict)
    """What must stay zero while it trains, by parameter."""
    answers: dict[str, Answers] = field(default_factory=dict)
    """To select images, by stage of this round; of runs that keep them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Checkpoint:
    """A standing as it was kept, with the network's values."""

    standing: Standing
    values: dict[str, Tensor]
    attempt: int
    """That told `events` events until then."""
    events: int

    def put_into(self, model: nn.Module) -> None:
        """Give a network of the standing's plan the values that it had.

        Raises:
            StorageError: it is another network.
        """
        tensors = named_tensors(model)
        if {name: tensor.shape for name, tensor in tensors.items()} != {n: v.shape for n, v in self.values.items()}:
            raise StorageError("The checkpoint is of another network.")
        if self.standing.training is not None:
            self.standing.training.check_is_of([value for value in model.parameters() if value.requires_grad])
        with torch.no_grad():
            for name, tensor in tensors.items():
                tensor.copy_(self.values[name])


class Checkpoints:
    """Keeps where a run stands in its folder."""

    def __init__(
        self,
        folder: Path,
        *,
        attempt: int,
        flush: Callable[[], int],
        kept: Callable[[], None],
        taken_up: Callable[[Checkpoint], None] = lambda kept: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`attempt`: number of the attempt that works. `flush`: writes what was told, and says how many events that is.
        `kept`: called when one stands; `taken_up`: with the one that the run goes on from. `clock`: seconds."""
        self._path = folder / CHECKPOINT
        self._attempt, self._flush, self._kept, self._clock = attempt, flush, kept, clock
        self._taken_up = taken_up
        self._next = clock() + 1.0  # what took less need not be kept
        self.of = ""
        """Names what the run is about; one of something else is none. Set it before anything is kept or taken up."""

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next one."""
        return self._clock() >= self._next

    def keep(self, standing: Standing, model: nn.Module) -> None:
        """Write one, in place of the one before.

        Raises:
            StorageError: it cannot be written; the one before still stands.
        """
        began = self._clock()
        tensors, head = _to_file(standing, model)
        head |= {"version": VERSION, "of": self.of, "attempt": self._attempt, "events": self._flush()}
        try:
            replace_file(self._path, save(tensors, {"standing": json.dumps(head)}))
        except OSError as error:
            raise StorageError(
                f"The run's checkpoint cannot be written ({error.strerror or error}): make room on the disk of "
                f"{self._path.parent}, then continue the run."
            ) from error
        self._kept()
        now = self._clock()
        self._next = now + min(max(EVERY_SECONDS, (now - began) / SHARE), MOST_SECONDS)

    def take_up(self, network: Callable[[Plan], nn.Module]) -> tuple[Standing, nn.Module] | None:
        """Where the run goes on, and the network as it was then; None where nothing was kept of this run, or it is
        damaged. `network`: makes the one that a plan leads to, whatever its values."""
        try:
            found = _from_file(self._path, self.of)
            if found is None:
                return None
            model = network(found.standing.plan)
            found.put_into(model)
        except (PruningError, OSError, SafetensorError, ValueError, LookupError, TypeError, RuntimeError):
            return None
        self._taken_up(found)
        return found.standing, model

    def forget(self) -> None:
        """Remove it: the run is done."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def kept_step(folder: Path) -> int | None:
    """Step of its round after which the run in a folder can go on; None where nothing that can be read was kept."""
    try:
        with safe_open(folder / CHECKPOINT, "pt") as file:
            head = load_object((file.metadata() or {})["standing"].encode(), CHECKPOINT)
            return Fields(head, CHECKPOINT).whole("step", 0)
    except (PruningError, OSError, SafetensorError, KeyError):
        return None


def _to_file(standing: Standing, model: nn.Module) -> tuple[dict[str, Tensor], dict[str, Any]]:
    plan, training = standing.plan, standing.training
    tensors = {f"model.{name}": tensor.detach().contiguous().clone() for name, tensor in named_tensors(model).items()}
    tensors |= {f"mask.{name}": mask.contiguous() for name, mask in plan.masks.items()}
    tensors |= {f"held.{name}": mask.contiguous().clone() for name, mask in standing.held.items()}
    if training is not None:
        tensors |= {f"training.{name}": value.contiguous().clone() for name, value in training.to_tensors().items()}
    head: dict[str, Any] = {
        "round": standing.round,
        "granularity": plan.granularity,
        "kept": {name: list(units) for name, units in plan.kept.items()},
        "layers": [asdict(layer) for layer in plan.layers],
        "check": asdict(standing.check),
        "finished": [round_values(one) for one in standing.finished],
        "stages": stages_values(standing.stages),
        **({} if training is None else {"step": training.step, "seconds": training.seconds}),
    }
    if standing.answers:
        said, head["answers"] = to_tensors(standing.answers)
        tensors |= {f"answers.{name}": part.clone() for name, part in said.items()}
    return tensors, head


def _from_file(path: Path, of: str) -> Checkpoint | None:
    if not os.path.isfile(path):
        return None
    with safe_open(path, "pt") as file:
        fields = Fields(load_object((file.metadata() or {})["standing"].encode(), CHECKPOINT), CHECKPOINT)
        if fields.whole("version", 1) != VERSION or fields.text("of") != of:
            return None
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    plan = Plan(
        granularity=fields.choice("granularity", GRANULARITIES),  # type: ignore[arg-type]
        kept={name: tuple(units) for name, units in fields.part("kept").items()},
        masks=_below("mask.", tensors),
        layers=tuple(map(layer_of, fields.parts("layers"))),
    )
    training = None
    if "step" in fields:
        of_training = _below("training.", tensors)
        training = TrainState.from_tensors(of_training, fields.whole("step", 0), fields.number("seconds", 0))
    return Checkpoint(
        standing=Standing(
            round=fields.whole("round", 1),
            plan=plan,
            check=check_of(fields.part("check")),
            finished=tuple(map(round_of, fields.parts("finished"))),
            stages=stages_of(fields.part("stages")),
            training=training,
            held=_below("held.", tensors),
            answers=_answers(fields, tensors),
        ),
        values=_below("model.", tensors),
        attempt=fields.whole("attempt", 1),
        events=fields.whole("events", 0),
    )


def _answers(fields: Fields, tensors: dict[str, Tensor]) -> dict[str, Answers]:
    if "answers" not in fields:
        return {}
    about = fields.part("answers")
    return from_tensors(_below("answers.", tensors), {name: about.text(name) for name in about.names()})


def _below(start: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
