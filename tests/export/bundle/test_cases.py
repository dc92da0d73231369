"""What counts as agreement, worked out by hand; and a proof that does not hold is not one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pruning.export.bundle.cases import Agreement, Case, cases, compared, without_control
from pruning.export.bundle.forms.record import Form, Made
from pruning.export.bundle.proof import prove
from pruning.graph.inputs import Inputs


def array(*rows: list[float]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)


def test_how_near_is_near_enough() -> None:
    near = compared([array([0.0, 10.0])], [array([0.00009, 10.0010])])
    assert isinstance(near, Agreement) and near.holds and near.tops == 1 and not near.other_tops
    assert near.largest == pytest.approx(1e-3, rel=1e-2) and near.worst == pytest.approx(1e-3 / 1.1e-3, rel=1e-2)
    far = compared([array([0.0, 10.0])], [array([0.00011, 10.0])])
    assert isinstance(far, Agreement) and not far.holds and far.worst == pytest.approx(1.1, rel=1e-3)
    other = compared([array([1.0, 1.0003])], [array([1.0003, 1.0])])
    assert isinstance(other, Agreement) and other.tops == other.other_tops == 1
    unclear = compared([array([1.0, 1.0001])], [array([1.0001, 1.0])])
    assert isinstance(unclear, Agreement) and not unclear.tops and unclear.holds
    nan = compared([array([float("nan"), 1.0])], [array([0.0, 1.0])])
    assert isinstance(nan, Agreement) and not nan.holds
    assert compared([array([1.0])], [array([1.0, 2.0])]) == "its answer has the shape (1, 2) in place of (1, 1)"
    assert compared([array([1.0])], []) == "it gives 0 tensors in place of 1"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[1.0, 2.0], [1.0, 2.0001]], "the network's own answers are the same whatever the input"),
        ([[1e-6, 2e-6], [-1e-6, 5e-6]], "the network's own answers are the same whatever the input"),
        ([[1.0, float("inf")], [2.0, 1.0]], "the network's own answers hold NaN or infinity"),
        ([[1.0, 2.0], [1.0, 2.1]], None),
    ],
)
def test_when_agreement_proves_nothing(rows: list[list[float]], said: str | None) -> None:
    assert without_control([Case(batch=2, inputs=(), expected=(array(*rows),))]) == said


OPENING = """
import numpy
scale = float(file.read_text())
def answer(arrays):
    return [arrays[0] * scale]
"""


def question(folder: Path, scale: float, opening: str = OPENING) -> tuple[Form, Made, tuple[Case, ...]]:
    (folder / "config.json").write_text("{}")
    (folder / "scale.txt").write_text(str(scale))
    form = Form(
        name="text", title="Text", write=lambda *_: Made(files=()), opening=opening, usage=lambda config: ""
    )  # fmt: skip

    class Doubled(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2

    return form, Made(files=("scale.txt",)), cases(Doubled(), Inputs.of(torch.randn(2, 3)))


def test_a_clean_process_is_believed_only_where_it_agrees(tmp_path: Path) -> None:
    form, made, found = question(tmp_path, 2.0)
    proof = prove(form, made, "scale.txt", tmp_path, found)
    assert proof.status == "agrees" and proof.batches == (1, 2, 5) and proof.largest == 0
    form, made, found = question(tmp_path, 2.001)
    proof = prove(form, made, "scale.txt", tmp_path, found)
    assert proof.status == "differs" and "in a batch of 1 an answer differs by" in proof.reason


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import pruning", "ImportError: pruning is not to be reached from here"),
        ("import sample_models.architectures", "ImportError: sample_models is not to be reached"),
        ("import socket; socket.create_connection(('127.0.0.1', 9))", "OSError: nothing is to be fetched"),
        ("open(secret)", "FileNotFoundError: "),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import os; os._exit(7)", "its process ended with status 7"),
    ],
)
def test_it_reaches_nothing_of_ours(line: str, said: str, tmp_path: Path) -> None:
    bundle, secret = tmp_path / "bundle", tmp_path / "secret.txt"
    bundle.mkdir()
    secret.write_text("secret")
    form, made, found = question(bundle, 2.0, f"secret = {str(secret)!r}\n{line}\n{OPENING}")
    proof = prove(form, made, "scale.txt", bundle, found, unreachable=[secret])
    assert proof.status == "fails" and said in proof.reason
