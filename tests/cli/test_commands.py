"""The table of commands: each says what it is, refuses in a sentence, and knows its options without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pruning.cli.commands import COMMANDS
from pruning.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_says_what_it_is(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = COMMANDS[name]
    assert command.name == name and command.explanation[0].isupper() and command.explanation.endswith(".")
    assert main([name, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert command.explanation in shown and "--json" in shown
    assert main([name, "--nonsense"]) == 2
    refusal = capsys.readouterr().err
    assert refusal.startswith("Error: ") and "--help" in refusal and "Traceback" not in refusal


def test_all_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert all(f"{command.name} {command.explanation}" in shown for command in COMMANDS.values())
    assert main(["nosuch"]) == 2
    assert "nosuch" in capsys.readouterr().err


def test_help_and_bad_options_come_without_torch() -> None:
    """In a process of its own, since other tests import torch here."""
    code = (
        "import sys\nfrom pruning.cli.commands import COMMANDS\nfrom pruning.cli.main import main\n"
        "assert main(['--help']) == 0\n"
        "for name in COMMANDS:\n    assert main([name, '--help']) == 0 and main([name, '--nonsense']) == 2\n"
        "print('loaded:', sorted({'torch', 'numpy', 'pandas', 'plotly', 'scipy', 'streamlit'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("loaded: []")
