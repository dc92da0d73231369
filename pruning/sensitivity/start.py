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
    arguments = ["sensitivity", opened.ref, "--data", wanted.data, "--granularity", wanted.granularity]
    arguments += [
        "--criterion",
        wanted.criterion,
        "--images",
        str(wanted.images),
        "--seed",
        str(wanted.seed),
        "--lose",
        str(lose),
    ]
    if data_dir is not None:
        arguments += ["--data-dir", data_dir]
    launch(arguments, file_of(wanted).note_start())
