"""`evaluate`: how well a network answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pruning.base.errors import InputError
from pruning.catalog.openers import OPENERS, check_reference
from pruning.cli.output import exactly, span
from pruning.data.info import Role
from pruning.subject import Subject, open_subject
from pruning.training.evaluate import evaluate as measure


def evaluate(
    ref: str, *, data: str | None, data_dir: str | None, role: Role, cancel: Callable[[], bool]
) -> tuple[dict[str, Any], list[str]]:
    """The metric with its interval, as JSON and as lines. `data`: None for the model's own data set.

    Raises:
        PruningError: no such model or data set, they do not fit, the images are absent; or cancelled.
    """
    subject = open_with_images(ref, data, data_dir)
    measured = measure(subject.model, subject.data, role, cancel=cancel)
    metric = measured.metric
    result = {
        "schema_version": 1,
        "model": ref,
        "data": subject.info.name,
        "role": measured.role,
        "metric": metric.name,
        metric.name: measured.value,
        f"{metric.name}_interval": list(measured.interval),
        "correct": measured.correct,
        "images": measured.images,
        "loss": measured.loss,
    }
    line = (
        f"{subject.title}: {exactly(metric, measured.value)} ({span(metric, measured.interval)}) of "
        f"{measured.images:,} {measured.role} images of {subject.info.name}, measured"
    )
    return result, [line]


def open_with_images(ref: str, data: str | None, data_dir: str | None) -> Subject:
    """Open a network with images; refuse before anything long where there can be none.

    Raises:
        InputError: no such network or data set, they do not fit each other, or none is named for a network that brings
            none along.
        StorageError, DataError: files are absent or damaged.
    """
    check_has_images(ref, data)
    subject = open_subject(ref, data, data_dir)
    if subject.images is not None:
        subject.images.open()  # absent images are said with the way to get them
    subject.check("measure")
    return subject


def check_has_images(ref: str, data: str | None) -> None:
    """Raises InputError where no data set is named, and networks of this kind know none of their own."""
    if data is None and not OPENERS[check_reference(ref).kind].brings_data:
        own = " or ".join(opener.form for opener in OPENERS.values() if opener.brings_data)
        raise InputError(
            f"'{ref}' comes without images to measure it on: name a data set with --data, or take {own}; inspect and "
            "verify take this one."
        )
