"""Choosing the picture that both networks are asked about: a class first, then one of its images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pruning.base.words import percent
from pruning.render.markup import pixels
from ui.compare import cached, picker
from ui.kit import errors, state

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from pruning.compare.sides import Pair
    from pruning.data.protocol import Data
    from pruning.tasks.choices import Choices

CLASS = "compare_class"
FIRST = "compare_first_picture"
PICTURE = "compare_picture"
state.DEFAULTS.update({PICTURE: 0, CLASS: None, FIRST: 0})
PICTURES = 10
_IMAGES = "compare_images"


def choose(pair: Pair, data: Data, classes: DeltaGenerator) -> int:
    """Draw the boxes, that of classes into `classes`; the number of the chosen select image."""
    with st.spinner("Asking both networks"):
        said = cached.answers(pair.before.subject), cached.answers(pair.after.subject)
    first, second = (some.choices for some in said)
    if first is None or second is None:
        with classes:
            return _any_picture(data)
    if first.labels is None:  # of no image it is known which class it belongs to
        return _picture(pair, data, (first, second), None)
    with classes:
        chosen = _class_box(data)
    return _picture(pair, data, (first, second), chosen)


def _class_box(data: Data) -> int:
    names = list(data.info.classes)
    if state.get(CLASS) not in names:
        state.put(CLASS, names[0])
    if all(len(name) < 3 for name in names):
        return names.index(str(st.pills("Digit", names, required=True, **state.bound(CLASS))))
    return names.index(str(st.selectbox("Class", names, **state.bound(CLASS))))


def _any_picture(data: Data) -> int:
    """Choose a select image of a task without classes; its number."""
    sample = data.subset("select", cached.IMAGES)
    numbers = list(range(min(PICTURES, len(sample))))
    if state.get(PICTURE) not in numbers:
        state.put(PICTURE, 0)
    chosen = st.segmented_control("Picture", numbers, required=True, **state.bound(PICTURE))
    return int(sample[int(chosen or 0)])


def _picture(pair: Pair, data: Data, both: tuple[Choices, Choices], label: int | None) -> int:
    """Choose a select image of a class, or of all, those first that the two answer differently; its number."""
    from pruning.compare.casualties import of_class

    sample = data.subset("select", cached.IMAGES)
    first, second = both
    mine, marked = of_class(first, second, label)
    start = state.get(FIRST) % len(mine)
    items = []
    for place in (mine + mine)[start : start + PICTURES]:
        number, differs = int(sample[place]), bool(first.predicted[place] != second.predicted[place])
        items.append(
            picker.Item(
                id=str(place),
                caption=f"{number} ≠" if differs else f"{number}",
                aria=f"image {number}, answered differently" if differs else f"image {number}",
                pictures=(pixels.photo(data.image("select", number)),),
                mark=differs,
            )
        )
    strip, more = st.columns([9, 1], vertical_alignment="center")
    with strip:
        chosen = int(picker.show(items, key=_IMAGES, label="Images", size=46, names=("picture",), default=items[0].id))
    more.button("More", key="compare_more_pictures", on_click=_turn, args=(len(mine),), help="Other images")
    said = " · ".join(
        f"{word}: **{errors.plain(pair.after.subject.named(int(some.predicted[chosen])))}**, "
        f"{percent(float(some.confidence[chosen]), 0)} sure"
        for word, some in zip(pair.names, both, strict=True)
    )
    st.caption(
        f"Select image {int(sample[chosen])}. {said[:1].upper()}{said[1:]} ●. "
        + (f"≠ marks the {marked} of {len(mine)} that the two answer differently." if marked else
           f"The two agree on all {len(mine)}{'' if label is None else ' of this class'}.")
    )  # fmt: skip
    return int(sample[chosen])


def _turn(count: int) -> None:
    """Show the next pictures of a class, after the last the first."""
    state.put(FIRST, (state.get(FIRST) + PICTURES) % count)
