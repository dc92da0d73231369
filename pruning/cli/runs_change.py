"""`runs tag`, `runs delete`, `runs undelete` and `runs clean`: what becomes of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pruning.base.errors import InputError, excerpt
from pruning.base.words import size
from pruning.cli.output import say
from pruning.cli.runs_list import Answer, index
from pruning.jobs.store import LocalStore
from pruning.runs import default_runs_dir, read_run
from pruning.runs.labels import Label, read_label, write_label
from pruning.runs.quota import carry_out, plan_cleanup, purge_old
from pruning.runs.resolve import find_run_folder
from pruning.runs.trash import delete_run, undelete


def tag(text: str, *, add: Sequence[str], remove: Sequence[str], title: str | None, note: str | None) -> Answer:
    """Change the owner's label of a run; without any change say what it is.

    Raises:
        InputError: there is no such run, or what it is to be called is not allowed.
        StorageError: it cannot be read or written.
    """
    run = read_run(find_run_folder(text).resolve())
    store = LocalStore.at(run.path)
    before = read_label(store)
    if absent := [one for one in remove if one not in before.tags]:
        raise InputError(f"{run.name} has no tag '{excerpt(absent[0])}': it has {', '.join(before.tags) or 'none'}.")
    label = Label.of(
        title=before.title if title is None else title,
        tags=[*(one for one in before.tags if one not in remove), *Label.of(tags=" ".join(add)).tags],
        note=before.note if note is None else note,
    )
    if label != before:
        write_label(store, label)
    said = [f'"{label.title}"' if label.title else "no name", f"tags: {' '.join(label.tags) or 'none'}"]
    result = {"run": run.name, "name": label.title, "tags": list(label.tags), "note": label.note}
    return result, [f"{run.name}: {', '.join(said)}", *([label.note] if label.note else [])]


def delete(texts: Sequence[str]) -> Answer:
    """Delete runs; all of them are looked up before the first goes.

    Raises:
        InputError: there is no such run, or one is still going on.
        StorageError: one cannot be read or moved.
    """
    folders = [find_run_folder(text).resolve() for text in texts]
    for folder in folders:
        read_run(folder)
    deleted = [delete_run(folder).name for folder in folders]
    purge_old(default_runs_dir())
    lines = [f"{name} is deleted; bring it back: python -m pruning runs undelete {name}" for name in deleted]
    return {"deleted": deleted}, lines


def bring_back(name: str) -> Answer:
    """Bring a deleted run back. Errors as `undelete`."""
    path = undelete(name.removeprefix("run:"), default_runs_dir())
    return {"run": path.name, "path": str(path)}, [f"{path.name} is back in {path.parent}"]


def clean(*, only_say: bool) -> Answer:
    """Say what the limits leave no room for, and unless `only_say` remove it.

    Raises:
        StorageError: a folder cannot be read or removed.
    """
    plan = plan_cleanup(index())
    removed = plan.removals if only_say else tuple(carry_out(plan))
    result: dict[str, Any] = {
        "dry_run": only_say,
        "bytes": plan.bytes,
        "freed": sum(one.bytes for one in removed),
        "removed": [{"run": one.name, "bytes": one.bytes, "why": one.why} for one in removed],
        "unmet": list(plan.unmet),
    }
    would = "would go" if only_say else "is gone"
    lines = [f"{one.name} ({size(one.bytes)}) {would}: {one.why}" for one in removed]
    freed = f"{size(result['freed'])} of {size(plan.bytes)} {'would be' if only_say else 'are'} freed"
    for sentence in plan.unmet:
        say(sentence)
    return result, [*lines, freed if removed else f"nothing has to go; all runs take {size(plan.bytes)}"]
