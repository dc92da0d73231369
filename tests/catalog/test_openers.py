"""The table of openers: each row keeps its word, and another kind of network is another row."""

from __future__ import annotations

import pytest
from torch import nn

import pruning.runs  # noqa: F401 (adds its row)
from pruning.base.errors import InputError
from pruning.catalog.network import Network
from pruning.catalog.opener import Opener
from pruning.catalog.openers import OPENERS, open_network, parse_reference
from pruning.catalog.references import Reference


@pytest.mark.parametrize("kind", OPENERS)
def test_a_row_keeps_its_word(kind: str) -> None:
    opener = OPENERS[kind]
    assert opener.kind == kind and opener.form.startswith(f"{kind}:")
    for ref, title in opener.choices().items():
        assert title and parse_reference(ref).kind == kind
    with pytest.raises(InputError) as refused:
        open_network(f"{kind}:nosuch")
    assert 20 < len(str(refused.value)) < 500 and "\n" not in str(refused.value)


def test_another_row_is_all_that_another_kind_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no model 'toy:net'"):
        open_network("toy:net")

    def toy(reference: Reference) -> Network:
        return Network(
            ref=reference.text, title="a toy", model=nn.Linear(3, 2).eval(), example_inputs=(3,), weights="random"
        )

    def read(text: str, rest: str) -> Reference:
        return Reference(text=text, kind="toy", name=rest)

    monkeypatch.setitem(OPENERS, "toy", Opener(kind="toy", form="toy:NAME", read=read, open=toy))
    assert open_network("toy:net").title == "a toy"
