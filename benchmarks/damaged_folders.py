"""A folder of runs as `benchmarks.mutated_folders` needs it: a few sound runs, and copies of them that are damaged."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mutation_kinds import STORED, make_job
from benchmarks.mutations import mutate
from pruning.base.errors import PruningError
from pruning.data.readers import describe_data
from pruning.export.report.contents import Options
from pruning.export.report.start import job_of as report_job
from pruning.export.report.write import REPORT
from pruning.jobs.events import encode
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore
from pruning.lessons.lesson import Lesson
from pruning.lessons.library import course
from pruning.runs import create_run, execute
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec

FINISHED = ("channel", "weight", "iterative", "continued", "recent", "learner")
"""Sound runs with a result; the last two were carried out here, as jobs."""
ENDED = ("cancelled", "failed", "killed")
QUEUED = ("queued",)
"""Asked for by this process, which starts none for it."""
WORKING = {"working": "attempts/0001/lock", "working_earlier": "worker.lock"}
"""Sound runs that a process carries out, and the lock that it holds."""
SOUND = (*FINISHED, *ENDED, *QUEUED, *WORKING)
LEARNER = "learner"
"""The run that is an entry of the Lab, the last of the lessons."""

Way = Callable[[Path, random.Random], None]
"""Damages a file, or a folder as a whole."""


def _mutated(file: Path, dice: random.Random) -> None:
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(mutate(content, dice))


def _empty(file: Path, dice: random.Random) -> None:
    file.write_bytes(b"")


def _missing(file: Path, dice: random.Random) -> None:
    file.unlink()


def _unreadable(file: Path, dice: random.Random) -> None:
    """A link to itself cannot be read even by root, whom permissions do not keep out."""
    file.unlink()
    file.symlink_to(file.name)


def _folder(file: Path, dice: random.Random) -> None:
    file.unlink()
    file.mkdir()


def _pipe(file: Path, dice: random.Random) -> None:
    """Whoever opens it carelessly waits for ever."""
    file.unlink()
    os.mkfifo(file)


def _emptied(folder: Path, dice: random.Random) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _linked_nowhere(folder: Path, dice: random.Random) -> None:
    shutil.rmtree(folder)
    folder.symlink_to("gone")


def _linked_in_a_circle(folder: Path, dice: random.Random) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.name)


def _file_in_place_of_a_folder(folder: Path, dice: random.Random) -> None:
    inner = sorted(path for path in folder.rglob("*") if path.is_dir())
    if not inner:  # of the earliest runs, which hold no folders
        return _emptied(folder, dice)
    shutil.rmtree(chosen := dice.choice(inner))
    chosen.write_bytes(b"")


def _half_gone(folder: Path, dice: random.Random) -> None:
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        if dice.random() < 0.5:
            file.unlink()


def _renamed(folder: Path, dice: random.Random) -> None:
    """To what is no UTF-8 text, looks like markup, or is as long as a name can be; and with a wound besides."""
    _mutated(dice.choice(sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)), dice)
    odd = (b"\xff\xfe", b"<img src=x>", b"line\nline", b"a" * 200, "ü $x$ [y](z) `w`".encode(), b"%2e%2e", b"'\"&amp;")
    folder.rename(folder.with_name(f"{folder.name} {os.fsdecode(dice.choice(odd))}"))


WAYS_OF_FILES: dict[str, Way] = {
    "empty": _empty,
    "missing": _missing,
    "unreadable": _unreadable,
    "a folder": _folder,
    "a pipe": _pipe,
}
WAYS_OF_FOLDERS: dict[str, Way] = {
    "emptied": _emptied,
    "linked nowhere": _linked_nowhere,
    "linked in a circle": _linked_in_a_circle,
    "a file in place of a folder": _file_in_place_of_a_folder,
    "half gone": _half_gone,
    "renamed": _renamed,
}


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """A copy of a sound run with something wrong in it."""

    path: Path
    of: str
    """The sound run's name."""
    file: str
    """What is wrong with is this one; '' for the folder as a whole."""
    way: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def kind(self) -> str:
        """'result.json: mutated'; the same for whichever run it is a copy of."""
        return f"{re.sub('[0-9a-f]{12}', 'KEY', self.file) or 'the folder'}: {self.way}"


def make_sound(folder: Path) -> None:
    """Fill the folder, which PRUNING_RUNS must name, with the sound runs; carries out two of them."""
    shutil.copytree(STORED, folder)
    for path in (folder / "continued").iterdir():
        path.write_bytes(path.read_bytes().replace(b"run:RUNS/", f"run:{folder}/".encode()))
    recent = Recipe(model="sample:mini_resnet", data="mnist5k", prune=PruneSpec(sparsity=0.4))
    execute(create_run(recent, path=folder / "recent"))
    with report_job(folder / "recent", Options()).working() as work:
        work.publish(REPORT, b"<!doctype html><title>Report</title>")
    execute(create_run(_entry(), path=folder / LEARNER))
    told = _told(folder)
    for name in ("killed", "working"):
        path = create_run(recent.replace(finetune_steps=94), path=folder / name)
        make_job(path)
        attempt = path / "attempts" / "0001"
        (attempt / "manifest.json").unlink()
        (attempt / "events").mkdir()
        (attempt / "events" / "000001.jsonl").write_bytes(told)
    Job.in_folder(create_run(recent, path=folder / "queued")).ask()
    earlier = shutil.copytree(folder / "cancelled", folder / "working_earlier")
    (earlier / "cancel").unlink()
    (earlier / "events.jsonl").write_bytes(told)


def _entry() -> Recipe:
    """What the Lab's Enter button asks for."""
    says = lesson("lab").setting
    spec = PruneSpec(granularity="weight", criterion=says("criterion"), sparsity=0.95)
    steps = describe_data(says("data")).steps_of(says("epochs"), 64)
    return Recipe(model=says("network"), data=says("data"), prune=spec, finetune_steps=steps, lr=0.05)


def lesson(name: str) -> Lesson:
    """A lesson by its name in the address."""
    return next(one for one in course().lessons if one.id == name)


def _told(folder: Path) -> bytes:
    """What a run told that is being fine-tuned."""
    lines = (folder / "cancelled" / "events.jsonl").read_bytes().splitlines()
    return encode(event for event in map(json.loads, lines) if event["stage"] != "cancelled")


def damage(folder: Path, count: int, dice: random.Random) -> list[Damaged]:
    """Add so many damaged copies of the sound runs to their folder: every second one has one mutated file, the others
    take all other kinds of damage in turn."""
    files = {name: _files(folder / name) for name in SOUND}
    filled = [(name, file) for name, own in files.items() for file in own if (folder / name / file).stat().st_size]
    mutated = [(name, file, "mutated", _mutated) for name, file in filled]
    other = [(name, file, *way) for name, own in files.items() for file in own for way in WAYS_OF_FILES.items()]
    other += [(name, "", *way) for name in files for way in WAYS_OF_FOLDERS.items()]
    turns = []
    for choices in (mutated, other):
        dice.shuffle(choices)
        turns.append(itertools.cycle(choices))
    found = []
    for number in range(count):
        name, file, way, inflict = next(turns[number % 2])
        path = shutil.copytree(folder / name, folder / f"{number:04d}-{name}", symlinks=True)
        inflict(path / file, dice)
        if not os.path.lexists(path):  # it has another name now
            path = next(one for one in folder.iterdir() if one.name.startswith(f"{path.name} "))
        found.append(Damaged(path=path, of=name, file=file, way=way))
    return found


def hold_locks(folder: Path, damaged: Sequence[Damaged]) -> ExitStack:
    """Hold, in this process, the locks of all runs that are working and of the copies of such, as far as they are still
    there; they are free once the stack is closed."""
    stack = ExitStack()
    held = [(folder / name, lock) for name, lock in WORKING.items()]
    held += [(one.path, WORKING[one.of]) for one in damaged if one.of in WORKING]
    for path, lock in held:
        if (path / lock).is_file():
            with suppress(PruningError):
                stack.enter_context(LocalStore.at(path).hold(lock))
    return stack


def damage_job(job: Job, sound: Path, dice: random.Random) -> None:
    """Put a copy of a sound job in the place of a job and damage one of its objects; made anew, so that nothing that is
    remembered of the one before counts."""
    assert isinstance(job.store, LocalStore)
    place = job.store.root
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(sound, place)
    asked = place / "attempts" / "0001" / "asked.json"
    asked.write_text(json.dumps(json.loads(asked.read_text()) | {"at": f"{dice.random()}"}))
    file = dice.choice(_files(place))
    ways = [_mutated] * len(WAYS_OF_FILES) if (place / file).stat().st_size else []
    dice.choice([*ways, *WAYS_OF_FILES.values()])(place / file, dice)


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
