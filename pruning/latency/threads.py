"""The one number of threads that networks are timed with: on pages, in runs, reports and commands alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pruning.settings import settings


def timing_threads() -> int:
    """As the owner's settings say; 1 unless they do.

    Raises:
        InputError, StorageError: the settings are wrong.
    """
    return settings().latency.threads


@contextmanager
def with_threads(count: int) -> Iterator[None]:
    """PyTorch computes with so many threads inside."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
