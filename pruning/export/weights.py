"""The weights of a finished run as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.runs import Run


def weights(run: Run) -> bytes:
    """Parameters and buffers of the pruned network, as safetensors.

    Raises:
        StorageError: the run's file cannot be read.
    """
    return run.weights()
