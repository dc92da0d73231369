"""What stands before every answer: hosts, headers, the cookie, limits. An ASGI app behind it, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pruning.visitors.bodies import LARGEST, ROOM, BodyLimits
from pruning.visitors.identity import COOKIE, is_secret, new_secret, visitor_of
from pruning.visitors.web import HEADERS, Guard, secret_in

SECRET = "s" * 43


async def page(scope: Any, receive: Any, send: Any) -> None:
    """An app that reads all that is sent, and answers with its length."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": str(length).encode()})


def ask(
    path: str = "/",
    *,
    kind: str = "http",
    method: str = "GET",
    sent: tuple[bytes, ...] = (b"",),
    limits: BodyLimits | None = None,
    scheme: str = "http",
    **headers: str,
) -> tuple[int, dict[str, list[str]], bytes]:
    """Status, headers and body of an answer; for a socket 101, or the code that closed it."""
    given = {"host": "localhost:8501", "accept": "text/html"} | {key.replace("_", "-"): v for key, v in headers.items()}
    scope = {
        "type": kind, "path": path, "method": method, "scheme": scheme,
        "headers": [(key.encode(), value.encode()) for key, value in given.items()],
    }  # fmt: skip
    parts = [{"type": "http.request", "body": body, "more_body": n < len(sent) - 1} for n, body in enumerate(sent)]
    told: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        told.append(message)

    guard = Guard(page, names=lambda: frozenset({"localhost"}), limits=limits or BodyLimits())
    asyncio.run(guard(scope, receive, send))
    if kind == "websocket":
        return (101 if told[0]["type"] == "websocket.accept" else told[0]["code"]), {}, b""
    found: dict[str, list[str]] = {}
    for name, value in told[0]["headers"]:
        found.setdefault(name.decode(), []).append(value.decode())
    return told[0]["status"], found, b"".join(message.get("body", b"") for message in told[1:])


def cookies_of(headers: dict[str, list[str]]) -> list[str]:
    return headers.get("set-cookie", [])


def test_a_page_has_the_headers_and_a_first_visitor_a_cookie() -> None:
    status, headers, _ = ask()
    assert status == 200
    assert {name: headers[name.lower()] for name in HEADERS} == {name: [value] for name, value in HEADERS.items()}
    assert "frame-ancestors 'self'" in headers["content-security-policy"][0]
    (cookie,) = cookies_of(headers)
    name, _, rest = cookie.partition("=")
    secret, *attributes = rest.split("; ")
    assert name == COOKIE and is_secret(secret)
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes) and "Secure" not in attributes
    (secure,) = cookies_of(ask(scheme="https")[1])
    assert secure.endswith("; Secure")


def test_who_has_a_cookie_keeps_it() -> None:
    (cookie,) = cookies_of(ask(cookie=f"a=b; {COOKIE}={SECRET}")[1])
    assert cookie.startswith(f"{COOKIE}={SECRET};")


@pytest.mark.parametrize("value", ["short", "x" * 44, "../" * 15, "%00" * 15, '"' + "x" * 41 + '"'])
def test_what_the_server_has_not_set_is_replaced(value: str) -> None:
    (cookie,) = cookies_of(ask(cookie=f"{COOKIE}={value}")[1])
    assert value not in cookie


@pytest.mark.parametrize(
    ("path", "more"),
    [("/_stcore/host-config", {}), ("/static/app.js", {"accept": "*/*"}), ("/", {"method": "POST"})],
)
def test_only_a_page_gives_a_cookie(path: str, more: dict[str, Any]) -> None:
    status, headers, _ = ask(path, **more)
    assert status == 200 and cookies_of(headers) == [] and "x-content-type-options" in headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8501", ""])
def test_a_foreign_name_is_refused_on_pages_and_sockets(host: str) -> None:
    status, headers, body = ask(host=host)
    assert status == 421 and b"does not answer to" in body and cookies_of(headers) == []
    assert headers["x-content-type-options"] == ["nosniff"]
    assert ask("/_stcore/stream", kind="websocket", host=host)[0] == 1008


def test_its_own_name_opens_a_socket() -> None:
    assert ask("/_stcore/stream", kind="websocket")[0] == 101


def test_a_name_cannot_write_lines() -> None:
    assert b"\n" not in ask(host="evil.example\x85\u2028x")[2].rstrip(b"\n")


UPLOAD = "/_stcore/upload_file/session/1"


def test_a_large_body_is_refused_by_its_stated_length_and_by_what_comes() -> None:
    assert ask(UPLOAD, method="PUT", content_length=str(LARGEST + ROOM + 1))[0] == 413
    part = bytes(2**20)
    many = (part,) * (LARGEST // 2**20 + 2)
    assert ask(UPLOAD, method="PUT", sent=many)[0] == 413, "whatever length was stated"
    assert ask(UPLOAD, method="PUT", sent=many[:-1], content_length="12")[0] == 200
    assert ask("/anything", method="POST", sent=many)[0] == 413


def test_who_was_offered_to_send_more_may_and_nobody_else() -> None:
    limits = BodyLimits()
    limits.grant("session", 40 * 2**20)
    many = (bytes(2**20),) * 30
    assert ask(UPLOAD, method="PUT", sent=many, limits=limits)[0] == 200
    assert ask("/_stcore/upload_file/other/1", method="PUT", sent=many, limits=limits)[0] == 413
    limits.withdraw("session")
    assert ask(UPLOAD, method="PUT", sent=many, limits=limits)[0] == 413


@pytest.mark.parametrize("length", ["-1", "x", "9" * 400, "１２"])
def test_a_length_that_is_none_harms_nobody(length: str) -> None:
    assert ask(UPLOAD, method="PUT", sent=(b"ab",), content_length=length.encode("utf-8").decode("latin-1"))[0] in (
        200,
        413,
    )


def test_what_tells_of_the_servers_memory_is_not_there() -> None:
    assert ask("/_stcore/metrics")[0] == ask("/_stcore/metrics/")[0] == 404


def test_a_secret_in_a_header() -> None:
    assert secret_in(f"{COOKIE}=x; {COOKIE}={SECRET}") == SECRET, "as Streamlit reads it: the last"
    assert secret_in("") is secret_in("; ;=;") is secret_in(f"x{COOKIE}={SECRET}") is None


def test_a_name_tells_nothing_of_its_secret() -> None:
    first, second = new_secret(), new_secret()
    assert first != second and len({visitor_of(first), visitor_of(second)}) == 2
    assert visitor_of(first) == visitor_of(first) and first not in visitor_of(first) and len(visitor_of(first)) == 32
