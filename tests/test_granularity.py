"""Granularities: what the table says of each is what happens to a network."""

from __future__ import annotations

import pytest
import torch

from pruning.base.errors import InputError
from pruning.granularity import GRANULARITIES, Granularity, find_granularity
from pruning.opening.models import open_model
from pruning.planning.plan import make_plan
from pruning.removal.verify import carry_out
from pruning.spec import PruneSpec


@pytest.mark.parametrize("name", GRANULARITIES)
def test_what_goes_is_done_as_the_table_says(name: Granularity) -> None:
    info = GRANULARITIES[name]
    assert info.name == name and find_granularity(name) is info
    assert info.title and info.done and info.explanation.endswith(".")
    opened = open_model("sample:lenet300")
    plan = make_plan(opened.model, opened.graph, PruneSpec(granularity=name, sparsity=0.5))
    small, _ = carry_out(opened.model, opened.graph, plan)
    before, after = (sum(p.numel() for p in model.parameters()) for model in (opened.model, small))
    zeros = sum(int((p == 0).sum()) for p in small.parameters())
    assert (after < 0.6 * before) is info.shrinks
    assert (zeros > 0.4 * before) is not info.shrinks
    assert small(torch.zeros(1, 1, 28, 28)).shape == (1, 10)


@pytest.mark.parametrize("name", ["", "filter", None, 3, "Channel"])
def test_another_is_one_sentence(name: object) -> None:
    with pytest.raises(InputError, match="The granularity is 'channel' or 'weight', not"):
        find_granularity(name)
