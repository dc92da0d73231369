"""The layer board: one component with the tiles, a toolbar, a row for each channel group or layer, and the inspector.

Everything on it follows the hand in the browser alone: counts and predicted time are arithmetic on tables that come
with the rows. Python is told of the plan a few times a second while a hand moves, and at once when it lets go. The
plan under the hand is the board's; `ui.session.cuts` keeps a copy, and has its way only with a new token.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.kit import component, state
from ui.prune import clock
from ui.session import cuts

if TYPE_CHECKING:
    from collections.abc import Callable

    from pruning.subject import Subject
    from ui.prune.board.data import BoardData

_HERE = Path(__file__).parent
KEY = "layer_board"
_TAKEN = "layer_board_taken"
"""What the board said last, so that it is heard once."""
_ASKS = "layer_board_asks"
"""What it has asked for, with the moment of the last time: a request is carried out once."""
_SHOWN = "layer_board_shown"
"""(token, rows) that the board was last told to take over."""
PLACE = """
.st-key-board_area{position:relative}
.st-key-board_accuracy{position:absolute;top:0;left:0;z-index:1;width:calc((100% - 36px)*2.4/5.7)}
.st-key-repair_now{position:absolute;left:50%;top:28px;width:auto!important}
.st-key-repair_now button{min-height:0;padding:2px 10px}
@media (max-width:1100px){.st-key-board_accuracy{position:static;width:100%;margin-bottom:12px}
 .st-key-repair_now{position:static}}
"""
"""CSS that puts the accuracy, which Python draws, into the hole in the board's row of tiles."""
_SCRIPTS = tuple(
    f"{part}.js"
    for part in (
        "costs", "times", "plan", "signs", "draw", "cut", "stages", "rows", "inspector", "tiles", "toolbar", "board",
    )
)  # fmt: skip
"""Parts of one module."""


def take() -> dict[str, Any]:
    """What the board has newly said, or {}. Call it once a run of the page, before the cut is read."""
    sent = (st.session_state.get(KEY) or {}).get("plan")
    if not sent or sent == st.session_state.get(_TAKEN):
        return {}
    st.session_state[_TAKEN] = sent
    return dict(sent)


def heard() -> int:
    """Number of the last message that was heard; 0 before the first."""
    return int((st.session_state.get(_TAKEN) or {}).get("rev", 0))


def asks(sent: dict[str, Any], what: str) -> bool:
    """Whether the board newly asks for something to be measured: `time` of this cut, or of all `widths`."""
    when = (sent.get("asks") or {}).get(what)
    heard = st.session_state.setdefault(_ASKS, {})
    if not when or heard.get(what) == when:
        return False
    heard[what] = when
    return True


def follow(subject: Subject, sent: dict[str, Any]) -> None:
    """Let the page's cut follow what the board said; other rows, if it asks for them."""
    from pruning.criteria import CRITERIA
    from pruning.granularity import GRANULARITIES

    if not sent or sent["token"] != cuts.token(subject):
        return
    cuts.follow(subject, sent)
    state.put(clock.PLACE, sent.get("place") or clock.USUAL)
    if sent["granularity"] in GRANULARITIES:
        state.put(cuts.GRANULARITY, sent["granularity"])
    if sent["criterion"] in CRITERIA:
        state.put(cuts.CRITERION, sent["criterion"])
    cuts.settle(subject)


def show(subject: Subject, data: BoardData) -> None:
    """Draw the board, or bring it up to date."""
    _component()(
        key=KEY,
        data=data.to_json() | _rows_to_take(subject) | {"heard": st.session_state.get(_ASKS, {})},
        on_plan_change=_heard,
    )


def _heard() -> None:
    """Streamlit knows a state by its callback; `take` reads it."""


def _rows_to_take(subject: Subject) -> dict[str, Any]:
    """The rows as they stood when the board began to show them: what it has done to them since, it knows itself."""
    now = cuts.token(subject)
    if KEY not in st.session_state or st.session_state.get(_SHOWN, {}).get("token") != now:
        mine = cuts.positions(subject)
        st.session_state[_SHOWN] = {
            "token": now,
            "removed": dict(mine.numbers),
            "asked": dict(mine.asked),
            "share": mine.share,
            "pinned": list(mine.pinned),
            "mode": mine.mode,
            "chosen": state.get(cuts.CHOSEN),
        }
    found: dict[str, Any] = st.session_state[_SHOWN]
    return found


def script() -> str:
    """The component's JavaScript, one module."""
    return component.script(_HERE, _SCRIPTS)


@cache
def _component() -> Callable[..., Any]:
    return component.component("pruning_board", _HERE, css="board.css", js=_SCRIPTS)
