"""Sensitivity in a notebook: the figure that was asked for, and the cut that a tighter limit gives."""

from __future__ import annotations

from pathlib import Path

import pytest

import pruning
from pruning.base.errors import InputError
from pruning.notebook import Network
from pruning.sensitivity import SPARSITIES


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Network:
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(SPARSITIES, "channel", (0.5, 0.8))
    return pruning.open("sample:lenet300")


def test_curves_show_the_figure_that_was_asked_for(network: Network) -> None:
    plain = network.sensitivity(images=100)
    assert plain.layout.yaxis.title.text == "accuracy as cut, % of 100 select images"
    repaired = network.sensitivity(images=100, repaired=True)
    assert repaired.layout.yaxis.title.text == "accuracy repaired, % of 100 select images"
    for before, after in zip(plain.data, repaired.data, strict=True):
        assert before.name == after.name and all(b >= a for a, b in zip(before.y, after.y, strict=True))
    assert network.sensitivity(images=100).layout == plain.layout, "who asks for less sees what they asked for"


def test_a_tighter_limit_is_a_cut(network: Network) -> None:
    found = network.tighten(3.0, images=100)
    assert found.search.is_over and found.search.found is not None and found.cut is not None
    assert found.limit is not None and found.limit <= 3.0 and found.share is not None and 0 < found.share <= 1
    assert found.cut.plan.counts == dict(found.search.found.joint.kept)
    assert found.cut.plan.removes_nothing is False and "together they" in repr(found)
    assert "<p>" in found._repr_html_()
    joint = found.search.found.joint
    assert joint.figure(joint.furthest).losses[0] <= 0.03 + 1e-9
    with pytest.raises(InputError, match="from 0 to 100"):
        network.tighten(-1.0)


def test_single_weights_are_tightened_as_well(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SPARSITIES, "weight", (0.5, 0.8))
    found = network.tighten(3.0, granularity="weight", images=100)
    assert found.search.found is not None and found.cut is not None
    assert found.cut.plan.counts == dict(found.search.found.joint.kept)
