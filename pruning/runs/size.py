"""How large a network is, told before it is opened."""

from __future__ import annotations

from pathlib import Path

from pruning.catalog.by_name import check_parameters
from pruning.catalog.openers import OPENERS
from pruning.catalog.outline import check_size as check_library
from pruning.catalog.references import Reference
from pruning.runs.saved_model import model_bytes


def check_size(reference: Reference) -> None:
    """Raises InputError for a network of a library or a run that has more parameters than the settings let the browser
    open. Nothing of its size is read or made."""
    if reference.kind == "run":
        folder = Path(reference.name)
        check_parameters(f"run:{folder.name}", model_bytes(folder) // 4)
    elif OPENERS[reference.kind].large:
        check_library(reference)
