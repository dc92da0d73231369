"""Measure sensitivity in a process of its own; `pruning.sensitivity.cache` tells how far it is."""

from __future__ import annotations

from pruning.jobs.local import launch
from pruning.opening.models import OpenModel
from pruning.sensitivity import Sensitivity
from pruning.sensitivity.cache import file_of


def start(opened: OpenModel, wanted: Sensitivity, data_dir: str | None, *, lose: float) -> None:
    """Start `python -m pruning sensitivity` for a scan; `lose`: limit of the joint cut that it ends with, in points.

    Raises:
        StorageError: the cache cannot be written, or the process cannot be started.
    """
    asked = wanted.spec.to_arguments("granularity", "criterion", "parameters", "seed")
    arguments = ["sensitivity", opened.ref, "--data", wanted.data, *asked]
    arguments += ["--images", str(wanted.images), "--lose", str(lose)]
    if data_dir is not None:
        arguments += ["--data-dir", data_dir]
    launch(arguments, file_of(wanted).note_start())
