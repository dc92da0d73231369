"""Does damage to the files of a run, or of other work in another process, ever end in anything but a sentence?

    python -m benchmarks.mutations [--mutations 3000] [--only result]

Claim: of 3,000 mutations each of a result, a recipe, an order, events, a structure and answers, of each object of a
job, of what scans, races and layer times keep, of files of weights, of zips, NumPy archives and Parquet files of
images, and of bundles, every one is either read, and what was read can be shown, or refused by one of the explorer's
own errors in a sentence of less than 500 characters. Nothing takes more than 20 seconds; nothing that lies in a file of
weights, images or a bundle is run, and nothing is written beside the cache. The files are those of the stored runs in
tests/fixtures, and of jobs, weights, images and bundles made here; a mutation flips, removes, doubles or inserts bytes,
cuts the file short, or puts an odd value in the place of a sound one.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.common import report, say
from benchmarks.mutation_kinds import KINDS, LONGEST, Kind
from pruning.base.errors import PruningError

MUTATIONS = 3000
SLOWEST = 20.0
"""Seconds of a reading."""
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 0.5, -0.5, 1e308, -1e308, 5e-324, 2**63, 10**30, 99, float("nan"), float("inf"),
    "", "x", "0", "1e5", "channel", "sample:lenet5", "run:/", "run:", "\ud800", "\0", "a" * 5000, "<b>", "2026-01-01",
    [], {}, [[]], [None], {"": None}, [1, 2], [1, 2, 3], {"1": [1, 2, 3]},
)  # fmt: skip


def mutate(content: bytes, dice: random.Random) -> bytes:
    """The content with one to three wounds."""
    is_text = b"\0" not in content
    ways = (flip, cut, double, insert, shorten, *(3 * (odd_value if is_text else flip,)))
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        content = dice.choice(ways)(content, dice)
    return content


def flip(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(max(1, len(content)))
    return content[:place] + bytes([dice.randrange(256)]) + content[place + 1 :]


def cut(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(max(1, len(content)))
    return content[:place] + content[place + dice.randrange(1, 40) :]


def double(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(max(1, len(content)))
    return content[:place] + content[place : place + dice.randrange(1, 200)] * 2 + content[place:]


def insert(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(max(1, len(content)))
    some = dice.choice((b"\0", b"\xff", b"[" * 3000, b"{", b"}", b'"', b"-", b"9" * 400, b"\n", b": ", b"&a ", b"*a"))
    return content[:place] + some + content[place:]


def shorten(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(max(1, len(content)))]


def odd_value(content: bytes, dice: random.Random) -> bytes:
    """Another value at some place, if it is JSON, or in some line of it."""
    try:
        return json.dumps(_odd(json.loads(content), dice)).encode()
    except (ValueError, RecursionError):  # the latter after an earlier wound
        lines = content.split(b"\n")
        place = dice.randrange(len(lines))
        try:
            lines[place] = json.dumps(_odd(json.loads(lines[place]), dice)).encode()
        except (ValueError, RecursionError):
            name, colon, _ = lines[place].partition(b":")
            lines[place] = name + colon + b" " + json.dumps(dice.choice(ODD)).encode()
        return b"\n".join(lines)


def _odd(value: Any, dice: random.Random) -> Any:
    """A walk from the root to some place; there the value is another, absent, or under another name."""
    if isinstance(value, dict) and value and dice.random() < 0.93:
        name = dice.choice(list(value))
        if dice.random() < 0.1:
            return {other: item for other, item in value.items() if other != name}
        if dice.random() < 0.05:
            return {f"{other}x" if other == name else other: item for other, item in value.items()}
        return {**value, name: _odd(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.93:
        place = dice.randrange(len(value))
        return [*value[:place], _odd(value[place], dice), *value[place + 1 :]]
    return dice.choice(ODD)


def attack(name: str, kind: Kind, count: int) -> dict[str, Any]:
    """Mutate one file again and again; how its reader ended."""
    ends: Counter[str] = Counter()
    slowest, failures = 0.0, []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        kind.make(folder)
        sound = (folder / kind.file).read_bytes()
        for number in range(count):
            dice = random.Random(f"{name} {number}")
            (folder / kind.file).unlink(missing_ok=True)  # a new file each time: what is remembered goes by the inode
            (folder / kind.file).write_bytes(mutate(sound, dice))
            started = time.monotonic()
            try:
                kind.read(folder)
                ends["read"] += 1
            except PruningError as error:
                ends["refused"] += 1
                if len(str(error)) > LONGEST or "\n" in str(error):
                    failures.append(f"{number}: a sentence of {len(str(error))} characters: {str(error)[:200]}")
            except Exception as error:
                ends["error"] += 1
                where = traceback.extract_tb(error.__traceback__)[-1]
                failures.append(f"{number}: {type(error).__name__}: {error} ({where.filename}:{where.lineno})"[:400])
            slowest = max(slowest, time.monotonic() - started)
    say(f"{name}: {dict(ends)}, slowest {slowest:.1f} s")
    return {**ends, "slowest_seconds": round(slowest, 2), "failures": failures}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=MUTATIONS, help="fewer for a try, which is not kept")
    parser.add_argument("--only", choices=list(KINDS), help="one kind of file, which is not kept either")
    args = parser.parse_args()
    names = [args.only] if args.only else list(KINDS)
    figures = {name: attack(name, KINDS[name], args.mutations) for name in names}
    holds = all(not found["failures"] and found["slowest_seconds"] <= SLOWEST for found in figures.values())
    if args.only or args.mutations != MUTATIONS:
        print(json.dumps(figures, indent=1))
        return 0 if holds else 1
    return report("mutations", "damaged files are read or refused in a sentence", holds, figures)


if __name__ == "__main__":
    sys.exit(main())
