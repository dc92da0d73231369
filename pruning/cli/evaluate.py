"""`evaluate`: the accuracy of a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pruning.base.errors import InputError
from pruning.catalog.references import parse_reference
from pruning.data.info import Role
from pruning.data.readers import open_data
from pruning.opening.models import open_model
from pruning.runs.pipeline import check_fits
from pruning.training.evaluate import evaluate as measure


def evaluate(
    ref: str, *, data: str | None, data_dir: str | None, role: Role, cancel: Callable[[], bool]
) -> tuple[dict[str, Any], list[str]]:
    """Accuracy with its interval, as JSON and as lines. `data`: None for the model's own data set.

    Raises:
        PruningError: no such model or data set, they do not fit, the images are absent; or cancelled.
    """
    check_has_images(ref)
    opened = open_model(ref)
    images = open_data(data or opened.data[0], data_dir)
    check_fits(opened, images)
    measured = measure(opened.model, images, role, cancel=cancel)
    result = {
        "schema_version": 1,
        "model": ref,
        "data": images.info.name,
        "role": measured.role,
        "accuracy": measured.value,
        "accuracy_interval": list(measured.interval),
        "correct": measured.correct,
        "images": measured.images,
        "loss": measured.loss,
    }
    low, high = measured.interval
    line = (
        f"{opened.title}: {measured.value:.2%} ({low:.2%} to {high:.2%}) of {measured.images:,} "
        f"{measured.role} images of {images.info.name}, measured"
    )
    return result, [line]


def check_has_images(ref: str) -> None:
    """Raise InputError unless the reference is of a sample network or a run: only they know images to measure on."""
    if parse_reference(ref).kind not in ("sample", "run"):
        raise InputError(
            f"'{ref}' comes without images to measure it on: evaluate and prune take sample:NAME or run:DIR; inspect "
            "and verify take this one."
        )
