"""Packages that only some of the work needs: imported on use, and named in one sentence where they are missing."""

from __future__ import annotations

from importlib.util import find_spec

from pruning.base.errors import InputError

EXTRAS: dict[str, tuple[str, ...]] = {
    "app": ("streamlit", "plotly", "pandas", "mlxtend"),
    "samples": ("mlxtend", "pandas"),
    "notebook": ("plotly", "pandas"),
    "report": ("plotly",),
    "parquet": ("pyarrow",),
    "timm": ("timm",),
    "export": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("openvino",),
}
"""Extra of the installation → the modules that come with it; pyproject.toml says which versions."""


def is_installed(extra: str) -> bool:
    """Whether all that an extra brings is here. Nothing is imported."""
    return not _missing(extra)


def need(extra: str, what: str) -> None:
    """Let pass what needs an extra.

    `what`: as the beginning of a sentence, such as 'A report'.

    Raises:
        InputError: something that it brings is not installed.
    """
    missing = why_missing(extra, what)
    if missing is not None:
        raise InputError(missing)


def why_missing(extra: str, what: str) -> str | None:
    """The sentence for what is not installed of an extra; None where all of it is. `what`: as in `need`."""
    missing = _missing(extra)
    if not missing:
        return None
    names = " and ".join((", ".join(missing[:-1]), missing[-1]) if len(missing) > 1 else missing)
    return f"{what} needs {names}, not installed here: run \"pip install '.[{extra}]'\" in the explorer's folder."


def _missing(extra: str) -> list[str]:
    return [module for module in EXTRAS[extra] if not _is_there(module)]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:  # a module that was imported without a spec, or blocked
        return False
