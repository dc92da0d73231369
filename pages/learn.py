"""Learn: short lessons, each with one thing to do on a real network and one question answered by looking at it."""

from __future__ import annotations

import streamlit as st

from pruning.lessons.library import course as read_course
from pruning.render.markup import badges
from ui.kit import errors, route
from ui.learn import activities, address, progress, question, sheet, stage, steps

route.through_app()
course = read_course(address.language())
progress.sync()

asked = address.read(course)
current = steps.current(course, asked.lesson)
place = course.find(current)
lesson = course.lessons[place] if place is not None else None
scene = None
if lesson is not None:
    scene = stage.Stage(course=course, lesson=lesson, hidden=asked.hidden, locked=asked.locked, given=asked.given)
sheet.head(course, scene)
clicked = steps.show(course, current)
if clicked is not None and clicked != current:
    address.go(clicked)
    st.rerun()
for problem in (*asked.problems, *course.problems):
    st.warning(errors.plain(problem), icon=":material/error:")
if scene is None:
    sheet.end(course)
    st.stop()
text, activity, ask = sheet.places()
with text:
    sheet.show(scene)
with ask:
    feedback = question.show(scene)
    sheet.ways(scene)
with activity, errors.shown(stop=False):
    activities.draw(scene)
scene.conclude()
if feedback is not None:
    question.explain(scene, feedback)
st.html(badges.legend(course.words["legend"]))
if progress.is_newer():
    st.rerun()
