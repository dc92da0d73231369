"""The energy of an answer, from the published energies of single operations."""

from __future__ import annotations

import pytest

from pruning.base.words import microjoules
from pruning.cost import energy


def test_the_energy_is_that_of_the_published_operations() -> None:
    assert energy.answer_energy(1_000_000, 1_000) == pytest.approx(1e6 * 4.6e-12 + 1e3 * 640e-12)
    assert round(energy.FETCH / (energy.MULTIPLY + energy.ADD)) == 139, "as the lesson says"
    assert microjoules(energy.answer_energy(1_000_000, 1_000)) == "5.2 µJ"
