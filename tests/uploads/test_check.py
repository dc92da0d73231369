"""What a visitor sends is looked at in a process with limits, whose end, however bad, is one sentence."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from pruning.base.errors import InputError
from pruning.settings.tables import Uploads
from pruning.uploads import check

LIMITS = Uploads(memory_mb=1000, seconds=60)
NET = "torchvision:squeezenet1_1"


def test_good_weights_are_described(tmp_path: Path) -> None:
    import torchvision

    model = torchvision.models.squeezenet1_1(num_classes=1000)
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    found = check.check("weights", f"{NET}?weights={tmp_path / 'weights.pt'}", LIMITS)
    assert found["params"] == sum(parameter.numel() for parameter in model.parameters())


def test_weights_that_run_code_are_refused_and_run_none(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (ran,)

    path = tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps(Evil()))
    torch.save({"net": Evil()}, tmp_path / "other.pt")
    for file in (path, tmp_path / "other.pt"):
        with pytest.raises(InputError) as caught:
            check.check("weights", f"{NET}?weights={file}", LIMITS)
        assert not ran.exists() and "\n" not in str(caught.value)


def test_weights_of_another_network_are_refused_in_words(tmp_path: Path) -> None:
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(InputError, match="another network"):
        check.check("weights", f"{NET}?weights={tmp_path / 'weights.pt'}", LIMITS)


def limited(code: str, megabytes: int, seconds: int) -> subprocess.CompletedProcess[str]:
    """A look at a file that does what `code` says."""
    script = f"""
import sys
from pruning.uploads import look
def bad(reference):
    {code}
    return {{}}
look.LOOKS["images"] = bad
sys.exit(look.main("images", "zip:x", "{megabytes}", "{seconds}"))
"""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)


def test_too_much_memory_is_one_sentence() -> None:
    done = limited("bytearray(2**31)", 300, 30)
    assert done.returncode == 0 and "needs more memory" in done.stdout


@pytest.mark.slow
def test_time_ends_it() -> None:
    done = limited("while True: pass", 300, 5)
    assert done.returncode != 0 and done.stdout == ""


def test_what_is_printed_is_no_answer() -> None:
    done = limited('print(\'{"error": "no"}\')', 300, 30)
    assert done.stdout == "{}" and '"no"' in done.stderr


@pytest.mark.parametrize("code", [-24, -9, -11, 1])
def test_a_bad_end_is_one_sentence(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(check, "_look", lambda *given: (code, b""))
    with pytest.raises(InputError) as caught:
        check.check("images", "zip:x", LIMITS)
    assert "send a smaller one" in str(caught.value)


def test_what_it_says_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_look", lambda *given: (0, b'{"title": "photos"}'))
    assert check.check("images", "zip:x", LIMITS) == {"title": "photos"}
    monkeypatch.setattr(check, "_look", lambda *given: (0, b'{"error": "It is empty."}'))
    with pytest.raises(InputError, match="It is empty"):
        check.check("images", "zip:x", LIMITS)
