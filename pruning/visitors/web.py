"""What stands before every page, file and socket of the server: hosts, headers, the visitor's cookie, limits of what is
sent. ASGI, so that it works for whatever serves the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from pruning.base import hosts
from pruning.base.errors import excerpt
from pruning.visitors.bodies import LARGEST, LIMITS, ROOM, BodyLimits
from pruning.visitors.identity import COOKIE, DAYS, is_secret, new_secret

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS = {
    # Nobody else's page may show this one in a frame and have people click in it.
    "Content-Security-Policy": "frame-ancestors 'self'; object-src 'none'; base-uri 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    # An address may hold the way to a run.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
UPLOADS = "/_stcore/upload_file/"
"""Below it, a session and a number: where files are sent to."""
HIDDEN = ("/_stcore/metrics", "/_stcore/agent/")
"""What tells of the server's memory, which its owner can ask the machine itself, and a way in that no page needs."""


class Guard:
    """An ASGI app behind the guard. Refuses a foreign Host, sets headers and cookie, bounds what is sent."""

    def __init__(self, app: App, *, names: Callable[[], frozenset[str]], limits: BodyLimits = LIMITS) -> None:
        self.app, self.names, self.limits = app, names, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = _headers(scope)
        if not hosts.is_allowed(headers.get("host"), self.names()):
            await _refuse_host(scope, headers.get("host"), send)
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        elif any(part in scope["path"] for part in HIDDEN):
            await _answer(send, 404, "Not found.")
        else:
            await self._page(scope, headers, receive, send)

    async def _page(self, scope: Scope, headers: dict[str, str], receive: Receive, send: Send) -> None:
        cookie = _new_cookie(scope, headers)
        most = self._largest_body(scope)
        length = headers.get("content-length", "")
        if length.isdecimal() and len(length) < 19 and int(length) > most:
            await _answer(send, 413, f"At most {most // 2**20} MB can be sent here.")
            return
        received, answered = 0, False

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise _TooMuch
            return message

        async def sending(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                given = {name.lower() for name, _ in message.get("headers", ())}
                more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message.get("headers", ()), *(one for one in more if one[0] not in given)]
                if cookie is not None and message["status"] < 400:
                    message["headers"].append((b"set-cookie", cookie.encode()))
            await send(message)

        try:
            await self.app(scope, receiving, sending)
        except _TooMuch:
            if answered:
                raise
            await _answer(send, 413, f"At most {most // 2**20} MB can be sent here.")

    def _largest_body(self, scope: Scope) -> int:
        _, found, rest = scope["path"].partition(UPLOADS)
        return (self.limits.of(rest.partition("/")[0]) if found else LARGEST) + ROOM


class _TooMuch(Exception):
    """More was sent than is allowed."""


def secret_in(cookies: str) -> str | None:
    """The secret in a Cookie header, the last where there are several; None where there is none that can be one.

    >>> secret_in(f"a=b; {COOKIE}={'x' * 43}") == "x" * 43, secret_in(f"{COOKIE}=guessed")
    (True, None)
    """
    parts = (part.strip().partition("=") for part in cookies.split(";"))
    found = [value.strip() for name, _, value in parts if name.strip() == COOKIE]
    return found[-1] if found and is_secret(found[-1]) else None


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _new_cookie(scope: Scope, headers: dict[str, str]) -> str | None:
    """What to set where somebody comes to a page: their cookie, anew so that it lasts, or a first one.

    Only for pages, since files and sockets follow them at once, and each would get another. `Lax`, since somebody who
    comes by a link from elsewhere is the same visitor.
    """
    if scope["method"] != "GET" or "text/html" not in headers.get("accept", "") or "/_stcore/" in scope["path"]:
        return None
    secret = secret_in(headers.get("cookie", "")) or new_secret()
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    return f"{COOKIE}={secret}; Path=/; Max-Age={DAYS * 86_400}; HttpOnly; SameSite=Lax{secure}"


async def _refuse_host(scope: Scope, host: str | None, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    said = f"the name '{excerpt(host)}'" if host else "a request without a name"
    await _answer(
        send, 421, f"This server does not answer to {said}. Its owner can list names: [server] hosts in pruning.toml."
    )


async def _answer(send: Send, status: int, text: str) -> None:
    """A sentence as plain text."""
    body = f"{text}\n".encode()
    kind = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    headers = [*kind, *((name.lower().encode(), value.encode()) for name, value in HEADERS.items())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
