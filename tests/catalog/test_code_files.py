"""Files to choose a network from: what is listed, and what a Python file is seen to define without being run."""

from __future__ import annotations

from pathlib import Path

from pruning.catalog.code_files import CODE, WEIGHTS, factories, files_below, short_path


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_files_are_listed_in_order_without_what_is_hidden_or_installed(tmp_path: Path) -> None:
    nets, more = tmp_path / "nets", tmp_path / "more"
    touch(nets, "b.py", "a.py", "deep/c.py", "net.pt", "old.PTH", "last.pth.tar", "photo.jpg", "what?.py", "a&b.pt")
    touch(nets, ".git/hook.py", "__pycache__/a.py", "venv/lib/site-packages/torch.py")
    touch(more, "d.py")
    folders = [nets, more, tmp_path / "gone"]
    assert [short_path(path, folders) for path in files_below(folders, CODE)] == [
        "nets/a.py", "nets/b.py", "nets/deep/c.py", "more/d.py"
    ]  # fmt: skip
    assert [path.name for path in files_below(folders, WEIGHTS)] == ["last.pth.tar", "net.pt", "old.PTH"]


def test_links_lead_nowhere_else(tmp_path: Path) -> None:
    touch(tmp_path / "secret", "a.py")
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "link").symlink_to(tmp_path / "secret")
    assert files_below([tmp_path / "nets"], CODE) == []


def test_functions_and_classes_are_told_without_running_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        "raise SystemExit\nfrom torch import nn\ndef block(a):\n    def inner(): ...\nclass Net(nn.Module): ...\n"
        "def _hidden(): ...\ndef build(): ...\nmake = lambda: 1\n"
    )
    assert factories(path) == ["build", "block", "Net"]
    path.write_text("def build(:")
    assert factories(path) == [] and factories(tmp_path / "gone.py") == []
    path.write_bytes(b"\xff\xfe\x00(" * 50)
    assert factories(path) == []
