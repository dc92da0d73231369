"""Which run somebody means: by its id (the name of its folder among the runs), by a path, or by `run:` with either.

Nothing heavy is imported, so that a command refuses at once.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from pruning.base.errors import InputError, excerpt
from pruning.base.files import given_path
from pruning.runs.files import RECIPE, default_runs_dir

MOST_NAMES = 20_000
"""Names that are looked through for one like a mistyped one."""


def find_run_folder(text: str) -> Path:
    """The folder of the run that is meant.

    Raises:
        InputError: there is none, with what it might be; or two are meant.
    """
    found = located(text.removeprefix("run:"))
    try:
        if found.is_dir():
            return found
    except OSError:
        pass
    raise InputError(_absent(text.removeprefix("run:")))


def located(text: str) -> Path:
    """Where a run lies by its id or path; the path as it was given where there is nothing.

    Raises:
        InputError: it is the id of one run and the path of another, or no path at all.
    """
    path = given_path(text)
    if not is_id(text):
        return path
    among = default_runs_dir() / text
    if not os.path.isdir(among) or _is_same(path, among):
        return path if os.path.lexists(path) or not os.path.isdir(among) else among
    if not os.path.isdir(path):
        return among
    runs = [folder for folder in (path, among) if os.path.lexists(folder / RECIPE)]
    if len(runs) == 2:
        raise InputError(
            f"'{excerpt(text)}' is the folder {path.absolute()} and a run in {among.parent}: write ./{excerpt(text)} "
            f"for the first, {among} for the second."
        )
    return runs[0] if runs else path


def is_id(text: str) -> bool:
    """Whether a text can be the name of a folder among the runs, and no path.

    >>> is_id("20261127-100000-lenet5-1f2e"), is_id("runs/half"), is_id(".."), is_id("~")
    (True, False, False, False)
    """
    return bool(text) and not text.startswith((".", "~")) and os.sep not in text and "\0" not in text


def _absent(text: str) -> str:
    where = default_runs_dir()
    if is_id(text):
        folder, said = where, f"There is no folder {excerpt(text)} here, and no run of that name in {where}."
    else:
        path = given_path(text)
        folder, said = path.parent, f"There is no folder {excerpt(text, 200)}: name the folder of a run, or its id."
    try:
        names = [name for name in os.listdir(folder)[:MOST_NAMES] if not name.startswith(".")]
    except OSError:
        return said
    name = os.path.basename(text)
    inside = [other for other in sorted(names, reverse=True) if len(name) >= 3 and name in other][:3]
    near = inside or difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    shown = " or ".join(excerpt(other, 100) for other in near)
    return f"{said} Did you mean {shown}?" if near else said


def _is_same(first: Path, second: Path) -> bool:
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False
