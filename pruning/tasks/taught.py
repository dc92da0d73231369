"""Images without labels beside what the unpruned network puts out for them: computed once, for the images asked for."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from pruning.data.info import DataInfo, Role
from pruning.data.protocol import Data
from pruning.tasks.agreement import AGREEMENT_TASK

MOST_BYTES = 512 * 2**20
"""Of answers that are remembered; those of the network and images asked for last are, however many."""


class Answers:
    """What one network puts out for the images of one role, as far as it was asked."""

    def __init__(self, count: int) -> None:
        self._known = torch.zeros(count, dtype=torch.bool)
        self._outputs: Tensor | None = None
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        return 0 if self._outputs is None else self._outputs.nbytes

    def at(self, index: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """Outputs (N × classes) for the images at these places; `compute` gives those that are not known yet."""
        with self._lock:
            wanted = index[~self._known[index]].unique()
            if len(wanted):
                found = compute(wanted)
                if self._outputs is None:
                    self._outputs = torch.zeros(len(self._known), found.shape[1])
                self._outputs[wanted] = found
                self._known[wanted] = True
            assert self._outputs is not None, "an index names at least one image"
            return self._outputs[index]


@dataclass(frozen=True, kw_only=True, eq=False)
class TaughtData(Data):
    """A data set without labels, whose images are to be answered as the unpruned network answers them."""

    info: DataInfo
    """Of the task 'agreement'."""
    inner: Data
    """The images."""
    teacher: Callable[[], tuple[str, nn.Module]] = field(repr=False)
    """Gives the unpruned network, in eval mode, and the SHA-256 of its weights."""

    @property
    def digest(self) -> str:  # type: ignore[override]
        """Also of the unpruned network: agreement with another one is another measure."""
        return hashlib.sha256(f"{self.inner.digest} {self.teacher()[0]}".encode()).hexdigest()

    @property
    def source(self) -> str:  # type: ignore[override]
        return self.inner.source

    def labels(self, role: Role) -> Tensor | None:
        return None

    def images(self, role: Role, index: Tensor) -> Tensor:
        return self.inner.images(role, index)

    def answers(self, role: Role, index: Tensor) -> Tensor:
        """What the unpruned network puts out for the images of a role at these places: float32, N × classes."""
        digest, model = self.teacher()
        known = _remembered((digest, self.inner.digest, role), self.length(role))
        return known.at(index, lambda wanted: self._compute(model, role, wanted))

    @torch.no_grad()
    def _compute(self, model: nn.Module, role: Role, index: Tensor) -> Tensor:
        found = []
        for some in index.split(self.at_once()):
            images = self.normalise(self.images(role, some))
            found.append(model(images.contiguous(memory_format=torch.channels_last)).float())
        return torch.cat(found)


def taught_info(info: DataInfo) -> DataInfo:
    """What unlabelled images are, once they are to be answered as the unpruned network answers them."""
    return replace(info, task=AGREEMENT_TASK.name)


_KNOWN: OrderedDict[tuple[str, str, str], Answers] = OrderedDict()
_LOCK = threading.Lock()


def _remembered(key: tuple[str, str, str], count: int) -> Answers:
    with _LOCK:
        answers = _KNOWN.setdefault(key, Answers(count))
        _KNOWN.move_to_end(key)
        while len(_KNOWN) > 1 and sum(known.bytes for known in _KNOWN.values()) > MOST_BYTES:
            _KNOWN.popitem(last=False)
        return answers
