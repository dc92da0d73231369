"""What a network answers image by image: kept from a run's one look at the test images, so that nobody looks again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pruning.base.cancel import Cancel
from pruning.base.errors import StorageError
from pruning.data.info import Role
from pruning.data.protocol import Data
from pruning.training.evaluate import Evaluation, outputs

FIELDS = ("labels", "predicted", "confidence", "truth")


@dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """Answers to all images of a role, in the data set's order."""

    role: Role
    data_digest: str
    """Of the data set the images are from, as `Data.digest`."""
    labels: Tensor
    """int64 (images): the true classes."""
    predicted: Tensor
    """int64 (images): the class with the largest output; -1 where an output is NaN, which counts as wrong."""
    confidence: Tensor
    """float32 (images): softmax probability of the class answered."""
    truth: Tensor
    """float32 (images): softmax probability of the true class."""

    @property
    def right(self) -> Tensor:
        """bool (images)."""
        return self.predicted == self.labels

    @property
    def evaluation(self) -> Evaluation:
        """Accuracy with its interval."""
        loss = float(-self.truth.double().clamp_min(1e-45).log().mean())
        return Evaluation(role=self.role, right=self.right, loss=loss)


def answer(
    model: nn.Module, data: Data, role: Role, *, limit: int | None = None, cancel: Cancel | None = None
) -> Answers:
    """Run a model over the images of a role, as `evaluate` does, and keep what it says of each.

    Raises:
        Cancelled: `cancel()` became true.
    """
    found: dict[str, list[Tensor]] = {name: [] for name in FIELDS}
    for logits, labels in outputs(model, data, role, limit=limit, cancel=cancel):
        shares = logits.float().softmax(1).nan_to_num(0.0)
        best = shares.max(1)
        found["labels"].append(labels)
        found["predicted"].append(torch.where(logits.isnan().any(1), -1, logits.argmax(1)))
        found["confidence"].append(best.values)
        found["truth"].append(shares.gather(1, labels[:, None])[:, 0])
    return Answers(role=role, data_digest=data.digest, **{name: torch.cat(parts) for name, parts in found.items()})


def save_answers(path: Path, sides: Mapping[str, Answers]) -> None:
    """Write answers of several networks, by name, into one file without code.

    Raises:
        OSError, SafetensorError: it cannot be written.
    """
    tensors = {
        f"{name}.{field}": getattr(answers, field).contiguous() for name, answers in sides.items() for field in FIELDS
    }
    about = {name: f"{answers.role} {answers.data_digest}" for name, answers in sides.items()}
    save_file(tensors, path, metadata=about)


def read_answers(path: Path) -> dict[str, Answers]:
    """Read what `save_answers` wrote.

    Raises:
        StorageError: the file is absent or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            sides = {}
            for name, about in (file.metadata() or {}).items():
                role, _, digest = about.partition(" ")
                tensors = {field: file.get_tensor(f"{name}.{field}") for field in FIELDS}
                if role not in get_args(Role) or len({tensor.shape for tensor in tensors.values()}) != 1:
                    raise ValueError("its parts do not fit each other")
                sides[name] = Answers(role=role, data_digest=digest, **tensors)
            return sides
    except (OSError, SafetensorError, ValueError) as error:
        raise StorageError(f"The answers in {path.name} cannot be read ({error}): run the recipe again.") from error
