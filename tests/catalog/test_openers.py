"""Every row of the openers' table keeps its word, and another kind of network is another row."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import pruning.runs  # noqa: F401 - adds run: to the openers
from pruning.base.errors import InputError
from pruning.catalog.network import Network
from pruning.catalog.opener import Opener
from pruning.catalog.openers import (
    OPENERS,
    absolute,
    check_reference,
    forms,
    is_on_this_machine_alone,
    open_network,
    parse_reference,
    register,
)
from pruning.catalog.references import Reference, read_name
from pruning.subject import open_subject


@pytest.mark.parametrize("kind", OPENERS)
def test_a_row_keeps_its_word(kind: str) -> None:
    opener = OPENERS[kind]
    assert opener.kind == kind and opener.form.startswith(f"{kind}:") and opener.form in forms()
    reference = parse_reference(f"{kind}:a.py:b" if kind == "file" else f"{kind}:a")
    assert reference.kind == kind and reference.weights is None
    assert is_on_this_machine_alone(reference.text) == opener.is_path
    assert Path(parse_reference(absolute(reference.text)).name).is_absolute() == opener.is_path
    with pytest.raises(InputError):
        open_network(reference.text)
    for text, title in opener.choices().items():
        assert check_reference(text).kind == kind and title
        network = open_network(text)
        assert network.ref == text and network.title and network.weights and len(network.digest) == 64
        assert bool(network.data) == opener.brings_data


def test_the_four_kinds_and_runs() -> None:
    assert list(OPENERS) == ["sample", "torchvision", "timm", "file", "run"]


def test_another_kind_is_another_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(reference: Reference) -> Network:
        torch.manual_seed(0)
        return Network(
            ref=reference.text,
            title=reference.name,
            model=nn.Sequential(nn.Flatten(), nn.Linear(4, int(reference.name)), nn.ReLU(), nn.Linear(3, 2)).eval(),
            example_inputs=torch.zeros(2, 1, 2, 2),
            weights="random, seed 0",
            untrained=True,
        )

    with pytest.raises(InputError, match="no model 'mine:3'"):
        open_network("mine:3")
    monkeypatch.setattr("pruning.catalog.openers.OPENERS", dict(OPENERS))
    register(Opener(kind="mine", form="mine:WIDTH", read=read_name, open=build))
    subject = open_subject("mine:3")
    assert [target.units for target in subject.graph.groups] == [3] and subject.missing
    with pytest.raises(InputError, match=r"Did you mean 'mine:4'\? Use .*mine:WIDTH"):
        open_network("mime:4")


def test_a_network_is_another_one_once_its_code_or_weights_are_written_anew(tmp_path: Path) -> None:
    code, weights = tmp_path / "net.py", tmp_path / "net.pt"
    for ref in (f"file:{code}:build?weights={weights}", f"torchvision:resnet18?weights={weights}"):
        reference = parse_reference(ref)
        stamp, seen = OPENERS[reference.kind].stamp, []
        for content in (None, b"1", b"22"):
            if content is not None:
                weights.write_bytes(content)
            seen.append(stamp(reference))
        if reference.kind == "file":
            code.write_text("def build(): ...")
            seen.append(stamp(reference))
        assert len(set(seen)) == len(seen) and stamp(reference) == seen[-1]
        weights.unlink()
    assert OPENERS["torchvision"].stamp(parse_reference("torchvision:resnet18")) == ()
