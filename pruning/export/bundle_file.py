"""A finished run as a bundle that proves itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.base.cancel import Cancel
    from pruning.runs import Run


def bundle_file(run: Run, out: Path, *, cancel: Cancel | None = None) -> None:
    """Write it to `out`: a new or an empty folder, or a file that ends in .zip; with every form, the network's own code
    and none of its images. Errors as `pruning.export.bundle.of_run.export_run`."""
    from pruning.export.bundle.of_run import export_run

    export_run(run, out, cancel=cancel)
