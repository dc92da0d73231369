"""Make a run's bundle in a process of its own: one job in the run's folder for each choice of options."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pruning.base.errors import StorageError
from pruning.jobs.executor import LocalExecutor
from pruning.jobs.job import Job
from pruning.jobs.wishes import OWNER
from pruning.runs import bundle_folder

BUNDLE = "bundle.zip"
"""The result of the job."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What somebody chooses of a bundle."""

    forms: tuple[str, ...] = ()
    """Names of forms; () for all."""
    images: int = 0
    """That go along as samples."""
    code: bool = True
    """Whether the network's own Python files go along."""


def job_of(run: Path, options: Options) -> Job:
    """The job that makes a bundle with these options of the run in a folder."""
    key = hashlib.sha256(json.dumps(asdict(options)).encode()).hexdigest()[:12]
    return Job.in_folder(bundle_folder(run, key))


def start(run: Path, options: Options, visitor: str = OWNER) -> None:
    """Start `python -m pruning export`, anew where there is a bundle already; nothing where it is being made.

    Raises:
        InputError: too many jobs wait.
        StorageError: the run's folder cannot be written, or the process cannot be started.
    """
    arguments = ["export", str(run), "bundle", *(["--format", *options.forms] if options.forms else [])]
    arguments += [f"--with-images={options.images}"] if options.images else []
    arguments += [] if options.code else ["--no-code"]
    LocalExecutor().submit(arguments, job_of(run, options), kind="bundle", visitor=visitor)


def read_bundle(run: Path, options: Options) -> bytes | None:
    """The bundle with these options as a zip file's content; None where it was not made yet.

    Raises:
        StorageError: it is damaged or gone.
    """
    try:
        return job_of(run, options).read(BUNDLE)
    except StorageError as error:
        raise StorageError(f"{error} Make the bundle again.") from error
