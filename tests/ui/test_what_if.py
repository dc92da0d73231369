"""What-if on pages: what one session measured is known to all, also to one that is still measuring it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st

from pruning.spec import PruneSpec
from pruning.subject import Subject
from ui.kit import loaders, what_if


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def digits() -> Subject:
    return loaders.with_data(loaders.open_subject("sample:lenet5"), "mnist5k")


def test_figures_grow_and_are_known_afterwards() -> None:
    subject, cut = digits(), PruneSpec(sparsity=0.4)
    found = list(what_if.follow(subject, cut))
    assert len(found) > 2 and found[-1].complete and not found[0].complete
    assert found[0].as_cut is not None and found[0].as_cut.images < found[-1].as_cut.images
    assert list(what_if.follow(subject, cut)) == [found[-1]], "at once, from what is known"
    assert what_if.engine(subject) is what_if.engine(digits())


def test_what_another_session_has_measured_meanwhile_ends_the_measuring() -> None:
    subject, cut = digits(), PruneSpec(sparsity=0.5)
    mine = what_if.follow(subject, cut)
    first = next(mine)
    assert not first.complete
    last = what_if.engine(subject).measure(what_if.lab.plan(subject, cut))  # as the other session did
    what_if._answers().put((subject.identity, subject.data.digest, cut.digest), last)
    assert list(mine) == [last]


def test_other_cuts_are_other_answers() -> None:
    subject = digits()
    one, other = (list(what_if.follow(subject, PruneSpec(sparsity=share)))[-1] for share in (0.1, 0.9))
    assert one.as_cut is not None and other.as_cut is not None
    assert one.as_cut.value > other.as_cut.value
