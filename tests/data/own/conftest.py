"""What tests of one's own images share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_cache_of_a_test(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing is kept in the user's own cache, and nothing is known from another test."""
    place = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("PRUNING_CACHE", str(place))
    return place
