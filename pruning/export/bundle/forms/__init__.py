"""The table of forms that a bundle holds its network in. A new one is a file beside these, and its line here."""

from __future__ import annotations

from pruning.base.errors import InputError, excerpt
from pruning.export.bundle.forms.onnx_file import DENSE_ONNX, ONNX
from pruning.export.bundle.forms.pt2 import PT2
from pruning.export.bundle.forms.record import Form
from pruning.export.bundle.forms.weights import WEIGHTS_FORM

FORMS: dict[str, Form] = {form.name: form for form in (WEIGHTS_FORM, PT2, ONNX, DENSE_ONNX)}
"""By name, in the order in which they are made."""


def chosen(names: tuple[str, ...] | None) -> tuple[Form, ...]:
    """The forms of these names; None for all.

    Raises:
        InputError: there is none of a name.
    """
    known = [form.name for form in FORMS.values() if not form.goes_with]
    for name in names or ():
        if name not in known:
            raise InputError(f"A bundle has no form '{excerpt(name)}'. Choose from {', '.join(known)}.")
    return tuple(form for form in FORMS.values() if names is None or form.asked_by in names)
