"""The app as a server of its own: what it answers over HTTP and on its socket, where others reach it."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("streamlit")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a server that others reach by a name which its owner has listed."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "pruning.toml").write_text('[server]\npublic = true\nhosts = ["class.example.org"]\n')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    environment = {
        **os.environ,
        "PRUNING_SETTINGS": str(folder / "pruning.toml"),
        "PRUNING_CACHE": str(folder / "cache"),
        "PRUNING_RUNS": str(folder / "runs"),
    }
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={number}"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(600):
            try:
                if ask(number, "/_stcore/health")[0] == 200:
                    break
            except OSError:
                time.sleep(0.1)
        said = (folder / "log").read_text()
        assert f"http://localhost:{number}" in said and "Each visitor sees and cancels their own runs" in said
        assert "class.example.org" in said
        yield number
    finally:
        server.terminate()
        server.wait(30)


def ask(port: int, path: str, *, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def shake_hands(port: int, host: str, origin: str | None = None) -> str:
    """The first line of the answer to somebody who asks for a socket."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /_stcore/stream HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *([f"Origin: {origin}"] if origin else []),
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        return line.recv(4096).decode("latin-1").splitlines()[0]


def test_a_page_is_guarded(port: int) -> None:
    status, headers, body = ask(port, "/prune?run=x", Accept="text/html")
    assert status == 200 and b"<div id=" in body
    assert "frame-ancestors 'self'" in str(headers["content-security-policy"])
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
    cookies = [cookie for cookie in headers.get_all("set-cookie") or [] if cookie.startswith("pruning_visitor=")]
    (cookie,) = cookies
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    again = ask(port, "/", Accept="text/html", Cookie=cookie.partition(";")[0])[1]
    assert again["set-cookie"].partition(";")[0] == cookie.partition(";")[0]


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/static/x.js", "/media/x"])
def test_no_other_name_leads_here(port: int, path: str) -> None:
    status, headers, body = ask(port, path, Accept="text/html", Host="evil.example")
    assert status == 421 and b"evil.example" in body and headers["set-cookie"] is None


def test_the_socket_asks_for_the_name_too(port: int) -> None:
    assert "101" in shake_hands(port, f"127.0.0.1:{port}")
    assert "101" in shake_hands(port, "class.example.org", "http://class.example.org")
    assert "403" in shake_hands(port, "evil.example", "http://evil.example")
    assert "403" in shake_hands(port, "class.example.org", "http://evil.example")


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/interact"])
def test_what_no_page_needs_is_not_there(port: int, path: str) -> None:
    assert ask(port, path)[0] == 404


def test_a_large_file_is_refused_before_it_comes(port: int) -> None:
    status, _, body = ask(port, "/_stcore/upload_file/a/b", method="PUT", Content_Length=str(22 * 2**20))
    assert status == 413 and b"At most" in body
