"""The proof of a bundle: a process in which nothing of the explorer is opens each form, from files that were moved, and
gives to the same inputs what the network of this process gives."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, StorageError, excerpt
from pruning.export.bundle import clean
from pruning.export.bundle.cases import Case, compared, without_control
from pruning.export.bundle.forms.record import Form, Made

HIDDEN = ("pruning", "sample_models", "ui")
"""Modules that cannot be imported while a form is opened."""
ELSEWHERE = "moved – elsewhere ü"
"""The folder in which it is opened: with spaces, and letters beyond ASCII."""
SECONDS = 600.0
"""That opening a form and answering may take."""
Status = Literal["agrees", "vacuous", "differs", "fails"]


@dataclass(frozen=True, kw_only=True)
class Proof:
    """How one form did."""

    form: str
    file: str
    status: Status
    """vacuous: it agrees, but so would anything."""
    reason: str = ""
    """Why it is not the best, in a few words."""
    batches: tuple[int, ...] = ()
    largest: float | None = None
    """|Δ| of all numbers."""
    worst: float | None = None
    """|Δ| as a share of what is allowed."""
    tops: int = 0
    """Samples whose first class is clear, and was compared."""
    training: Mapping[str, Any] = field(default_factory=dict)
    """What a step of training did; empty for a form that does not train."""
    seconds: float = 0.0
    peak_bytes: int = 0
    """Memory of the clean process."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Of the packages that it had imported."""

    @property
    def holds(self) -> bool:
        """Whether the form may be handed out."""
        return self.status in ("agrees", "vacuous")

    @property
    def words(self) -> str:
        """In one line."""
        if not self.holds:
            return f"{self.file}: {self.status}, {self.reason}"
        near = f"at most {self.largest:.1g} apart in batches of {', '.join(map(str, self.batches))}"
        tops = f", first class the same {self.tops:,} times of {self.tops:,}" if self.tops else ""
        said = f"{self.file}: loaded in a clean process, {near}{tops}"
        return f"{said}; but that proves nothing: {self.reason}" if self.status == "vacuous" else said

    def to_values(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **vars(self),
            "batches": list(self.batches),
            "training": dict(self.training),
            "versions": dict(self.versions),
        }


def prove(
    form: Form,
    made: Made,
    file: str,
    folder: Path,
    found: Sequence[Case],
    *,
    unreachable: Sequence[Path] = (),
    cancel: Cancel | None = None,
) -> Proof:
    """Open a form of the bundle in `folder` in a clean process, and compare.

    `unreachable`: files and folders that the process may not read.

    Raises:
        StorageError: there is no room for the copy.
        Cancelled: asked to stop.
    """
    with _workplace() as place:
        try:
            question = _question(form, made, file, folder, place, found, unreachable)
        except OSError as error:
            raise StorageError(
                f"The bundle cannot be proven: there is no room in {place} ({error.strerror})."
            ) from error
        said = _asked(question, place, cancel)
        wrong = said.get("error")
        if wrong:
            line = f" at {said['line']}" if said.get("line") else ""
            return Proof(
                form=form.name, file=file, status="fails", reason=f"{excerpt(wrong, 400)}{line}", **_costs(said)
            )
        return _judged(form, file, place, found, said)


def _question(
    form: Form,
    made: Made,
    file: str,
    folder: Path,
    place: Path,
    found: Sequence[Case],
    unreachable: Sequence[Path],
) -> dict[str, Any]:
    """Lay out all that the clean process needs."""
    moved = place / ELSEWHERE
    shutil.copytree(folder, moved, copy_function=_linked)
    for name, source in made.apart.items():
        target = place / "apart" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    shutil.copyfile(Path(clean.__file__), place / "clean.py")
    asked = []
    for number, case in enumerate(found):
        np.savez(place / f"in-{number}.npz", **{str(k): array for k, array in enumerate(case.inputs)})  # type: ignore[arg-type]
        asked.append({"inputs": str(place / f"in-{number}.npz"), "outputs": str(place / f"out-{number}.npz")})
    return {
        "folder": str(moved),
        "file": file,
        "apart": str(place / "apart") if made.apart else None,
        "opening": form.opening,
        "trains": form.trains,
        "cases": asked,
        "hidden": HIDDEN,
        "unreachable": [str(path) for path in (*_own_places(), *made.originals, *unreachable)],
        "answer": str(place / "answer.json"),
    }


def _own_places() -> list[Path]:
    """Where this engine and the sample networks lie."""
    root = Path(__file__).parents[3]
    return [path for name in ("pruning", "sample_models", "ui") if (path := root / name).is_dir()]


def _linked(source: str, target: str) -> None:
    """The same file elsewhere; a copy of small ones, which Python may look for beside themselves."""
    try:
        if os.path.getsize(source) < 1_000_000:
            raise OSError
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _asked(question: Mapping[str, Any], place: Path, cancel: Cancel | None) -> dict[str, Any]:
    """What the clean process says."""
    (place / "question.json").write_text(json.dumps(question), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PRUNING"))}
    empty = place / "empty"
    empty.mkdir()
    environment |= {
        "TORCH_HOME": str(empty),
        "HF_HOME": str(empty),
        "HF_HUB_OFFLINE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-P", str(place / "clean.py"), str(place / "question.json")]
    with (place / "said.txt").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=empty, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        until = time.monotonic() + SECONDS
        try:
            while process.poll() is None:
                if cancel is not None and cancel():
                    raise Cancelled("Cancelled.")
                if time.monotonic() > until:
                    return {"error": f"it took longer than {SECONDS:.0f} s"}
                time.sleep(0.05)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    try:
        said: dict[str, Any] = json.loads((place / "answer.json").read_text(encoding="utf-8"))
        return said
    except (OSError, ValueError):
        tail = (place / "said.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        return {"error": f"its process ended with status {process.returncode}{f': {tail[0]}' if tail else ''}"}


def _judged(form: Form, file: str, place: Path, found: Sequence[Case], said: Mapping[str, Any]) -> Proof:
    largest, worst, tops = 0.0, 0.0, 0
    status: Status = "agrees"
    reason = ""
    for number, case in enumerate(found):
        with np.load(place / f"out-{number}.npz") as stored:
            given = [stored[str(k)] for k in range(len(stored))]
        near = compared(case.expected, given)
        if isinstance(near, str):
            status, reason = "differs", f"in a batch of {case.batch} {near}"
            break
        largest, worst, tops = max(largest, near.largest), max(worst, near.worst), tops + near.tops
        if not near.holds:
            status = "differs"
            reason = f"in a batch of {case.batch} an answer differs by {near.largest:.2g}"
            reason += (
                f", and {near.other_tops} of {near.tops} clear first classes are others" if near.other_tops else ""
            )
            break
    training = dict(said.get("training") or {})
    if status == "agrees":
        vacuous, trouble = without_control(found), _untrained(training)
        if trouble is not None:
            status, reason = "fails", trouble
        elif vacuous is not None:
            status, reason = "vacuous", vacuous
        elif training.get("moved") == 0:
            status, reason = "fails", "a step of training changed nothing"
    return Proof(
        form=form.name,
        file=file,
        status=status,
        reason=reason,
        batches=tuple(case.batch for case in found),
        largest=largest,
        worst=worst,
        tops=tops,
        training=training,
        **_costs(said),
    )


def _untrained(training: Mapping[str, Any]) -> str | None:
    """What is wrong with a step of training."""
    if "parameters" not in training:  # nothing was trained
        return None
    if training["no_longer_shared"]:
        return f"after a step of training {training['no_longer_shared'][0]} is not shared any more"
    if training["frozen_but_moved"]:
        return f"a step of training changed {training['frozen_but_moved'][0]}, which is frozen"
    return None


def _costs(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "seconds": said.get("seconds", 0.0),
        "peak_bytes": said.get("peak_bytes", 0),
        "versions": {name: str(version) for name, version in said.get("modules", {}).items()},
    }


@contextmanager
def _workplace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bundle-") as place:
        yield Path(place)
