"""Pools of memory are shared by all threads of the server."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ARENAS = """
import ctypes, threading
from pruning.base.memory import share_arenas

{before}
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
together = threading.Barrier(9)

def work():
    libc.malloc(1000)
    together.wait()
    together.wait()

for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
together.wait()
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, libc.fdopen(1, b"w"))
libc.fflush(None)
together.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone has such pools")
def test_threads_share_pools() -> None:
    def arenas(before: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", ARENAS.format(before=before)], capture_output=True, text=True, check=True
        )
        return done.stdout.count("<heap nr=")

    assert arenas("assert share_arenas(2)") <= 2 < arenas("")
