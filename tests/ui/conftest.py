"""What tests of several pages share."""

from __future__ import annotations

import pytest


@pytest.fixture
def quick_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks that answer at once: the cut network is as fast as dense, and a step takes a tenth of a second."""
    from pruning.latency.clock import Comparison, Timing
    from ui.kit import lab
    from ui.prune import run_form

    time = Timing(median=2.0, low=1.9, high=2.1)
    answer = Comparison(batch=1, dense=time, pruned=time, speedup=(0.97, 1.0, 1.02), pairs=30, threads=1)
    monkeypatch.setattr(lab, "speed", lambda *_, **__: answer)
    monkeypatch.setattr(run_form, "_seconds_per_step", lambda *_: 0.1)
