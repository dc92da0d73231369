"""What whoever asked for a run said beside the recipe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pruning.base import safe_json
from pruning.base.errors import StorageError
from pruning.base.fields import Fields
from pruning.base.remembered import Remembered
from pruning.jobs.process import Process
from pruning.runs.files import JOB, RECIPE


@dataclass(frozen=True, kw_only=True)
class Order:
    """Of one run."""

    created: datetime
    data_dir: str | None
    """Folder or zip with the images; None for the usual places."""
    creator: Process | None
    """The process that made the folder; None in one that was made before this was noted."""
    brought: bool = False
    """Whether the run came in a file, so that all its figures are as that file states them."""


def read_order(folder: Path) -> Order:
    """What was said when the run was asked for; a run that keeps no word of it was made when its recipe was written.

    Raises:
        StorageError: it is damaged.
    """
    order = _ORDERS(folder / JOB)
    if order is not None:
        return order
    try:
        written = (folder / RECIPE).stat().st_mtime
    except OSError as error:
        raise StorageError(f"{folder.name} cannot be read ({error.strerror or error}).") from error
    return Order(created=datetime.fromtimestamp(written, UTC), data_dir=None, creator=None)


def order_text(*, data_dir: str | None) -> bytes:
    """An order of this moment and this process, to be written into a new folder."""
    created = datetime.now(UTC).isoformat()
    return safe_json.dump({"data_dir": data_dir, "created": created, "creator": Process.own().to_json()})


def brought_text(*, created: str) -> bytes:
    """The order of a run that came in a file, to be written into its folder. `created`: as ISO 8601 has it."""
    return safe_json.dump({"data_dir": None, "created": created, "brought": True})


def _read_order(path: Path) -> Order | None:
    values = safe_json.read_object(path)
    if values is None:
        return None
    fields = Fields(values, path.name)
    return Order(
        created=fields.moment("created"),
        data_dir=fields.text("data_dir") if "data_dir" in fields else None,
        creator=Process.from_fields(fields.part("creator")) if "creator" in fields else None,
        brought="brought" in fields,
    )


_ORDERS: Remembered[Order | None] = Remembered(_read_order, most=5000)
