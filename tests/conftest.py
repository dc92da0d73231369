"""What tests of several folders share."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors: more threads only wait for each other
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def full_data() -> str:
    """The folder with mnist.zip and cifar10.zip: PRUNING_DATA, or shared/data beside the repository.

    Decoded images stay in the user's own cache: decoding 130,000 files once a test would take minutes.
    """
    folder = Path(os.environ.get("PRUNING_DATA") or Path(__file__).parents[2] / "shared" / "data")
    missing = [name for name in ("mnist.zip", "cifar10.zip") if not (folder / name).is_file()]
    if missing:
        pytest.skip(f"the full data sets are absent: no {' and '.join(missing)} in PRUNING_DATA or ../shared/data")
    return str(folder)
