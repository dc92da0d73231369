"""Class orders: documented ones, by name, in the reference of images; never a fitted permutation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from pruning.base.errors import InputError
from pruning.catalog.class_names import imagenet
from pruning.data.orders import ORDERS, find_order, other_orders
from pruning.data.own.reference import read_reference, with_option
from pruning.data.readers import data_reference
from pruning.gate import look, try_others
from pruning.subject import open_subject
from tests import own


@pytest.fixture(scope="module")
def ref(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with own.added():
        yield own.learnt_in(tmp_path_factory.mktemp("own"))


def test_an_order_is_never_fitted() -> None:
    """Labels that no written order explains stay unexplained."""
    assert list(other_orders(tuple("0123456789"))) == [], "digits stand in every order alike"
    tables = {order.name: table for order, table in other_orders(("10", "9", "100"))}
    assert tables == {"text": (0, 2, 1), "numbers": (1, 0, 2)}


def test_each_order_by_hand() -> None:
    assert ORDERS["alphabetical"].numbers(("Bear", "ant", "Cat")) == (1, 0, 2)
    assert ORDERS["text"].numbers(("ant", "Bear", "Cat")) == (2, 0, 1)
    assert ORDERS["first-numbers"].numbers(("10-dog", "2-cat")) == (1, 0)
    assert ORDERS["numbers"].numbers(("one", "two")) is None and ORDERS["imagenet"].numbers(("tench",)) is None
    words = sorted(names[-1] for names in imagenet())
    table = ORDERS["imagenet"].numbers(words) if len(set(words)) == 1000 else None
    if table is not None:
        assert words[table.index(0)] == imagenet()[0][-1]
    ids = [names[0] for names in imagenet()]
    assert ORDERS["imagenet"].numbers(ids[::-1]) == tuple(range(999, -1, -1))
    assert set(ORDERS) == {"alphabetical", "text", "first-numbers", "numbers", "imagenet"}, (
        "a new one is worked out here"
    )


def test_a_reference_keeps_it_beside_a_split() -> None:
    text = with_option(with_option("folder:mine/photos", "split", "60/20/20"), "order", "numbers")
    assert text == "folder:mine/photos?split=60/20/20&order=numbers"
    found = read_reference(text)
    assert found.order == find_order("numbers") and found.split == (60, 20, 20) and found.path == "mine/photos"
    assert with_option(text, "split", None) == "folder:mine/photos?order=numbers"
    assert data_reference("zip:a.zip?split=60/20/20", order="text") == "zip:a.zip?split=60/20/20&order=text"
    for bad, words in (
        ("zip:a.zip?order=best", "no class order 'best': there is text"),
        ("zip:a.zip?ordr=text", "Did you mean 'order'"),
    ):
        with pytest.raises(InputError, match=words):
            read_reference(bad)
    with pytest.raises(InputError, match="names a class order already"):
        data_reference("zip:a.zip?order=text", order="numbers")
    with pytest.raises(InputError, match="has its own classes"):
        data_reference("mnist5k", order="numbers")


def test_what_the_gate_finds_is_taken_by_its_name(ref: str) -> None:
    subject = open_subject(ref, "shapes:renamed")
    first = look(subject, images=60)
    best = try_others(subject, first)[0]
    assert best.order == "alphabetical" and best.value > 0.9 and first.doubt is not None
    taken = open_subject(ref, data_reference("shapes:renamed", order=best.order))
    again = look(taken, images=60)
    assert again.doubt is None and again.value == pytest.approx(best.value, abs=0.05)
    assert taken.info.classes == ("BAR", "dot", "Ring")
    assert "Classes stand in alphabetical order, whatever their case, as was asked for." in taken.remarks
    assert any("outputs in this order (BAR, dot, Ring)" in said for said in taken.remarks), "said beside the figure"
    labels, before = taken.data.labels("select"), subject.data.labels("select")
    assert labels is not None and before is not None
    assert [taken.info.classes[n] for n in labels[:9]] == [subject.info.classes[n] for n in before[:9]]
    assert taken.data.digest != subject.data.digest
    assert "ImageNet's order" not in str(try_others(taken, again))


def test_one_that_makes_no_difference_or_cannot_be_is_said(ref: str) -> None:
    plain = open_subject(ref, "shapes:plain?order=text")
    assert any("makes no difference: these images have no labels" in said for said in plain.remarks)
    with pytest.raises(InputError, match="cannot stand in the order of their numbers: not all of them are whole"):
        open_subject(ref, "shapes:labelled?order=numbers")
    named = torch_names(ref)
    assert any("are found by these" in said for said in named.remarks)
    assert named.info.classes == own.CLASSES


def torch_names(ref: str):
    from dataclasses import replace

    from pruning.catalog.openers import open_network
    from pruning.subject import Subject

    network = replace(open_network(ref), classes=tuple((name,) for name in own.CLASSES))
    assert isinstance(network.model, torch.nn.Module)
    return Subject.of(network).with_data("shapes:labelled?order=alphabetical")
