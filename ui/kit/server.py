"""The server itself, before any page: what guards every answer of it, and what it says when it starts."""

from __future__ import annotations

import functools
import logging
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from pruning.base import hosts, memory
from pruning.base.errors import PruningError
from pruning.jobs.queue.local import cores
from pruning.settings import is_loopback_address, settings
from pruning.visitors import notice
from pruning.visitors.web import Guard
from ui.kit import jobs


def middleware() -> list[Middleware]:
    """What every request and every socket goes through."""
    return [Middleware(Guard, names=_names)]


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Say who can see what, where others can reach the server; open the browser where somebody sits before it."""
    memory.share_arenas(max(2, cores()))
    address, port = st.get_option("server.address"), st.get_option("server.port")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # "Started server process", four lines of it
    logging.getLogger("streamlit.error_util").addFilter(_is_news)
    print(f"Serving the explorer on http://{hosts.to_open(address)}:{port} (stop it with Ctrl-C).", flush=True)
    try:
        held = settings()
    except PruningError as error:  # said on every page, too
        print(f"Error: {error}", flush=True)
        held = None
    if held is not None and (held.server.public or not is_loopback_address(address)):
        print("\n".join(notice.sentences(held, address, port)), flush=True)
    if held is not None:
        jobs.keep()
    if not st.get_option("server.headless"):
        webbrowser.open(f"http://{hosts.to_open(address)}:{port}")
    yield {}


def _is_news(record: logging.LogRecord) -> bool:
    """Whether `errors.unexpected` does not log the same with its number."""
    return record.getMessage() != "Uncaught app execution"


@functools.cache
def _names() -> frozenset[str]:
    """Names that the server answers to; settled once."""
    try:
        listed = settings().server.hosts
    except PruningError:
        listed = ()
    return hosts.own_names(st.get_option("server.address"), listed)
