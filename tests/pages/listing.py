"""The pages, as app.py lists them."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]


def listed_pages() -> tuple[str, ...]:
    """Names of the files in pages/ that the navigation leads to, in its order: 'start' first."""
    calls = [node for node in ast.walk(ast.parse((ROOT / "app.py").read_text())) if isinstance(node, ast.Call)]
    files = [call.args[0] for call in calls if ast.unparse(call.func) == "st.Page"]
    return tuple(
        Path(file.value).stem for file in files if isinstance(file, ast.Constant) and isinstance(file.value, str)
    )
