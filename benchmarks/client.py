"""A visitor without a browser: speaks to a page over Streamlit's WebSocket, as its JavaScript does.

    async with Visitor("http://127.0.0.1:8501") as visitor:
        await visitor.open("prune")
        await visitor.click("start_run")
        visitor.html("px-live")

Thirty pages in one Chromium are too heavy for the machine that is measured; thirty of these are not. What a page draws
is kept as it comes, what a run of the page leaves out is dropped, and timers (`run_every`) run.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 600.0
"""Seconds that a step may take before it counts as never done."""
FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
_TEXTS = {"html": "body", "markdown": "body", "text": "body", "alert": "body", "heading": "body", "progress": "text",
          "button": "label", "exception": "message", "toast": "body"}  # fmt: skip
"""Kinds of elements that say something → the field that says it."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """An element as it stands on the page."""

    element: Element
    run: str
    """Of the script, that drew it last."""
    fragment: str
    """That it belongs to; '' for none."""

    @property
    def kind(self) -> str:
        return self.element.WhichOneof("type") or ""

    @property
    def text(self) -> str:
        """What it says; '' where it says nothing."""
        name = _TEXTS.get(self.kind)
        return str(getattr(getattr(self.element, self.kind), name)) if name else ""

    @property
    def id(self) -> str:
        """Of a widget; '' where it is none."""
        return str(getattr(getattr(self.element, self.kind), "id", "")) if self.kind else ""


@dataclass
class Run:
    """One run of a page's script."""

    id: str
    fragments: tuple[str, ...]
    """Where only these ran."""
    started: float
    """On the monotonic clock, as everything here."""
    ended: float | None = None
    """None also where it was ended for another one."""


@dataclass
class Visitor:
    """One browser tab."""

    address: str
    page: str = ""
    query: str = ""
    drawn: dict[tuple[int, ...], Drawn] = field(default_factory=dict)
    """Place on the page → what stands there."""
    runs: list[Run] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """What the page showed of a mistake, and lost connections."""
    on_draw: Callable[[Drawn, float], None] | None = None
    """Called with every element that comes."""
    bytes: int = 0
    """That came."""

    def __post_init__(self) -> None:
        self._connection: ClientConnection | None = None
        self._states: dict[str, WidgetState] = {}
        self._timers: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._fragments: dict[tuple[int, ...], str] = {}
        self._changed = asyncio.Event()
        self._page_hash = ""
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Visitor:
        cookies = await asyncio.to_thread(_cookies, self.address)
        headers = {"Cookie": cookies} if cookies else {}
        self._connection = await connect(
            self.address.replace("http", "ws", 1) + "/_stcore/stream",
            additional_headers=headers,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            compression=None,
            open_timeout=PATIENCE,
            ping_interval=None,
        )
        self._reader = asyncio.create_task(self._read(self._connection))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop_timers()
        if self._connection is not None:
            await self._connection.close()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    async def open(self, page: str, query: str = "") -> float:
        """Go to a page and wait until its script has ended; the seconds that took."""
        self.page, self.query, self._page_hash = page, query, ""
        self.drawn.clear()
        self._stop_timers()
        started = time.monotonic()
        await self.send()
        await self.settled(since=started)
        return time.monotonic() - started

    async def send(self, *trigger: WidgetState, fragment: str = "", timer: bool = False) -> float:
        """Ask for a run of the page, or of one fragment, with the widgets as they stand and `trigger`; when."""
        assert self._connection is not None
        state = ClientState(
            query_string=self.query,
            page_name=self.page,
            page_script_hash=self._page_hash,
            fragment_id=fragment,
            is_auto_rerun=timer,
        )
        state.widget_states.widgets.extend([*self._states.values(), *trigger])
        state.context_info.timezone = "UTC"
        state.context_info.locale = "en"
        state.context_info.url = f"{self.address}/{self.page}"
        now = time.monotonic()
        await self._connection.send(BackMsg(rerun_script=state).SerializeToString())
        return now

    async def click(self, key: str) -> float:
        """Press a button; when."""
        drawn = self.find(key)
        assert not drawn.element.button.disabled, f"{key} is disabled"
        return await self.send(WidgetState(id=drawn.id, trigger_value=True), fragment=drawn.fragment)

    async def put(self, key: str, value: Any) -> float:
        """Set a component's state (a dictionary) or a number; when."""
        drawn = self.find(key)
        if isinstance(value, dict):
            state = WidgetState(id=drawn.id, json_value=json.dumps(value))
        else:
            state = WidgetState(id=drawn.id, double_value=float(value))
        self._states[drawn.id] = state
        return await self.send(fragment=drawn.fragment)

    def find(self, key: str) -> Drawn:
        """The widget with a key. Raises LookupError where there is none."""
        for drawn in self.drawn.values():
            if drawn.id.endswith(f"-{key}"):
                return drawn
        raise LookupError(f"{self.page} has no {key}")

    def has(self, key: str) -> bool:
        """Whether there is a widget with a key."""
        return any(drawn.id.endswith(f"-{key}") for drawn in self.drawn.values())

    def component(self, key: str) -> dict[str, Any]:
        """What the page last gave a component. Raises LookupError where there is none."""
        found: dict[str, Any] = json.loads(self.find(key).element.bidi_component.json)
        return found

    def texts(self) -> Iterator[str]:
        """Everything that the page says, in the order of its places."""
        for place in sorted(self.drawn):
            if text := self.drawn[place].text:
                yield text

    def says(self, words: str) -> str:
        """The first text that holds these words; '' where there is none."""
        return next((text for text in self.texts() if words in text), "")

    async def until(self, holds: Callable[[], bool], seconds: float = PATIENCE) -> float:
        """Wait until the page is as wanted; when. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not holds():
                if self._reader is None or self._reader.done():
                    raise ConnectionError(self.errors[-1] if self.errors else "the connection is closed")
                self._changed.clear()
                await self._changed.wait()
        return time.monotonic()

    async def settled(self, since: float, seconds: float = PATIENCE) -> float:
        """Wait until a run of the whole page has ended that began after `since`, and no other goes on; when."""

        def done() -> bool:
            whole = [run for run in self.runs if not run.fragments]
            return bool(whole) and whole[-1].started >= since and whole[-1].ended is not None

        return await self.until(done, seconds)

    async def _read(self, connection: ClientConnection) -> None:
        try:
            async for data in connection:
                assert isinstance(data, bytes)
                self.bytes += len(data)
                message = ForwardMsg()
                message.ParseFromString(data)
                self._take(message)
                self._changed.set()
        except Exception as error:  # whatever the connection may raise: the one who waits is told
            self.errors.append(f"connection: {type(error).__name__}: {error}")
        finally:
            self._changed.set()

    def _take(self, message: ForwardMsg) -> None:
        now = time.monotonic()
        kind = message.WhichOneof("type")
        if kind == "new_session":
            which = message.metadata.run
            fragments = tuple(which.fragment_ids)
            self.runs.append(Run(which.script_run_id, fragments, now))
            del self.runs[:-50]
            if not fragments:
                self._stop_timers()
        elif kind == "delta":
            self._draw(message, now)
        elif kind == "script_finished":
            run = self._run(message.metadata.run.script_run_id)
            if run is not None and message.script_finished in FINISHED:
                run.ended = now
                self._drop_old(run)
            elif message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self.errors.append("compile error")
        elif kind == "navigation":
            self._page_hash = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for name in message.stop_auto_rerun.fragment_ids:
                self._stop_timer(name)
        elif kind == "session_event" and message.session_event.HasField("script_compilation_exception"):
            self.errors.append(message.session_event.script_compilation_exception.message)

    def _run(self, name: str) -> Run | None:
        return next((run for run in reversed(self.runs) if run.id == name), None)

    def _draw(self, message: ForwardMsg, now: float) -> None:
        place, delta = tuple(message.metadata.delta_path), message.delta
        if delta.WhichOneof("type") != "new_element":
            if delta.WhichOneof("type") == "add_block":
                self.drawn.pop(place, None)
            return
        drawn = Drawn(element=delta.new_element, run=self.runs[-1].id if self.runs else "", fragment=delta.fragment_id)
        self.drawn[place] = drawn
        if drawn.kind == "exception":
            self.errors.append(f"{drawn.element.exception.type}: {drawn.text}")
        if self.on_draw is not None:
            self.on_draw(drawn, now)

    def _drop_old(self, run: Run) -> None:
        """What the run that has ended did not draw anew is gone."""
        for place, drawn in list(self.drawn.items()):
            mine = drawn.fragment in run.fragments if run.fragments else True
            if mine and drawn.run != run.id:
                del self.drawn[place]

    def _start_timer(self, fragment: str, seconds: float) -> None:
        if self._timers.get(fragment, (0.0, None))[0] == seconds:
            return
        self._stop_timer(fragment)
        self._timers[fragment] = seconds, asyncio.create_task(self._tick(fragment, seconds))

    async def _tick(self, fragment: str, seconds: float) -> None:
        with suppress(Exception):  # the connection is gone: its reader says so
            while True:
                await asyncio.sleep(seconds)
                await self.send(fragment=fragment, timer=True)

    def _stop_timer(self, fragment: str) -> None:
        _, task = self._timers.pop(fragment, (0.0, None))
        if task is not None:
            task.cancel()

    def _stop_timers(self) -> None:
        for fragment in list(self._timers):
            self._stop_timer(fragment)


def _cookies(address: str) -> str:
    """What the server's page gives a new browser, as the value of a Cookie header."""
    with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
        found = answer.headers.get_all("Set-Cookie") or []
    return "; ".join(cookie.partition(";")[0] for cookie in found)
