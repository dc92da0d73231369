"""What draws the activities of lessons: one module each, imported when it is first shown.

A module here has the name that `pruning.lessons.activities` gives the activity, and one function:

    def show(stage: Stage) -> None

`ui.learn.stage.Stage` gives it the lesson's settings and controls, its words, its memory, the network and the images,
and takes what the learner did. It is called once what the lesson wants predicted has been predicted.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ui.learn import code, prediction

if TYPE_CHECKING:
    from ui.learn.stage import Stage


def draw(stage: Stage) -> None:
    """Draw the lesson's activity, below what is to be predicted first."""
    show = import_module(f"{__name__}.{stage.lesson.activity}").show
    predict = stage.lesson.predict
    if predict is None or not predict.is_reachable(stage.value, stage.is_free):
        show(stage)
    elif (place := prediction.ask(stage, predict)) is not None:
        show(stage)
        prediction.answer(stage, predict, place)
    else:
        return
    code.show(stage)
