"""Decoded pixels are kept within a budget, read back as they were, and never half-written."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from pruning.data.info import Role
from pruning.data.own import pixels as caching
from pruning.data.own import reading
from pruning.data.own.decode import decode
from pruning.data.own.pixels import PixelCache
from pruning.data.own.workers import for_each
from pruning.data.readers import open_data
from pruning.data.streamed import StreamedData
from tests.data.samples import aged, files, write_folder

SHAPE = (3, 4, 5)
DRAWN = np.random.default_rng(0).integers(0, 256, (10, *SHAPE), dtype=np.uint8)


def cache(folder: Path, key: str = "a", count: int = 10) -> PixelCache:
    return PixelCache(key, count, SHAPE, folder)


def taken(found: PixelCache, numbers: list[int]) -> tuple[np.ndarray, list[bool]]:
    out = np.zeros((len(numbers), *SHAPE), dtype=np.uint8)
    return out, found.take(np.array(numbers), out).tolist()


def test_what_was_kept_comes_back_in_this_process_and_the_next(tmp_path: Path) -> None:
    first = cache(tmp_path)
    for number in (1, 7):
        first.keep(number, DRAWN[number])
    for found in (first, cache(tmp_path)):
        out, missing = taken(found, [7, 2, 1, 7])
        assert missing == [False, True, False, False]
        assert np.array_equal(out[[0, 2, 3]], DRAWN[[7, 1, 7]])


def test_damage_is_noticed(tmp_path: Path) -> None:
    cache(tmp_path).keep(3, DRAWN[3])
    with (tmp_path / "a.pixels").open("r+b") as file:
        file.seek(3 * 60 + 5)
        file.write(b"\x01\x02\x03")
    found = cache(tmp_path)
    assert taken(found, [3])[1] == [True]
    found.keep(3, DRAWN[3])
    assert np.array_equal(taken(cache(tmp_path), [3])[0][0], DRAWN[3])


def test_an_image_of_zeros_is_kept_like_any_other(tmp_path: Path) -> None:
    cache(tmp_path).keep(0, np.zeros(SHAPE, dtype=np.uint8))
    assert taken(cache(tmp_path), [0])[1] == [False]


def test_no_more_than_the_budget_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "BUDGET", 4 * 60)
    found = cache(tmp_path)
    for number in range(10):
        found.keep(number, DRAWN[number])
    assert found.slots == 4 and taken(found, list(range(10)))[1] == [False] * 4 + [True] * 6
    assert (tmp_path / "a.pixels").stat().st_size == 240


def test_what_was_used_least_lately_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (1, 256, 256)
    monkeypatch.setattr(caching, "BUDGET", 2 * 256 * 256 + 10)
    for key in "ab":
        PixelCache(key, 1, shape, tmp_path).keep(0, np.full(shape, 7, dtype=np.uint8))
    os.utime(tmp_path / "b.sums", (1_000_000, 1_000_000))
    PixelCache("c", 1, shape, tmp_path).keep(0, np.full(shape, 7, dtype=np.uint8))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pixels", "a.sums", "c.pixels", "c.sums"]


def test_a_full_disk_costs_time_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "SPARE", 10**18)
    found = cache(tmp_path)
    found.keep(0, DRAWN[0])
    assert found.slots == 0 and taken(found, [0])[1] == [True]
    (tmp_path / "file").write_text("x")
    assert cache(tmp_path / "file").slots == 0


def test_each_image_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = f"folder:{aged(write_folder(tmp_path / 'photos', files()))}"
    seen: list[str] = []

    def noted(content: bytes) -> object:
        seen.append(threading.current_thread().name)
        return decode(content)

    from pruning.data.own import decode as decoding

    monkeypatch.setattr(decoding, "decode", noted)
    data = open_data(reference)
    assert not seen, "nothing is decoded before it is asked for"
    first = data.images("train", torch.tensor([2, 0]))
    assert len(seen) == 2 and all(name.startswith("images") for name in seen), "in workers"
    everything = data.images("train", torch.arange(8))
    assert len(seen) == 8 and torch.equal(everything[[2, 0]], first)
    assert torch.equal(open_data(reference).images("train", torch.arange(8)), everything) and len(seen) == 8


def test_the_cache_changes_no_pixel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = f"folder:{aged(write_folder(tmp_path / 'photos', files()))}"
    kept = open_data(reference)
    monkeypatch.setattr(reading, "PixelCache", lambda *given: PixelCache("x", 0, SHAPE, tmp_path / "none"))
    bare = open_data(reference)
    for index in (torch.tensor([5, 1, 1, 3]), torch.tensor([], dtype=torch.int64), torch.arange(8)):
        assert torch.equal(kept.images("train", index), bare.images("train", index))
        assert torch.equal(kept.images("train", index), bare.images("train", index))


def test_many_threads_read_the_same_images(tmp_path: Path) -> None:
    data = open_data(f"folder:{aged(write_folder(tmp_path / 'photos', files()))}")
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda _: data.images("train", torch.arange(8)), range(12)))
    assert all(torch.equal(images, found[0]) for images in found)


def streamed(read: list[int], fail_at: int = -1) -> StreamedData:
    data = open_data("mnist5k")

    def noted(role: Role, index: torch.Tensor) -> torch.Tensor:
        read.append(int(index[0]))
        if int(index[0]) == fail_at:
            raise ValueError("damaged")
        return data.images(role, index)

    return StreamedData(info=data.info, read=noted, truth={}, digest="0", source="here")


def test_the_next_batch_is_read_while_somebody_works_on_this_one() -> None:
    read: list[int] = []
    batches = streamed(read).batches("test", 100)
    next(batches)
    until = time.monotonic() + 20
    while len(read) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)
    assert read == [0, 100], "one ahead, and no more"
    next(batches)
    batches.close()
    assert read in ([0, 100], [0, 100, 200])
    time.sleep(0.05)
    assert read in ([0, 100], [0, 100, 200]), "nothing is read once nobody asks any more"


def test_an_error_while_reading_ahead_comes_with_its_batch() -> None:
    batches = streamed([], fail_at=100).batches("test", 100)
    next(batches)
    with pytest.raises(ValueError, match="damaged"):
        next(batches)


def test_work_for_each_item_is_done_once_and_errors_come_out() -> None:
    done: list[int] = []
    for_each(done.append, range(1000))
    assert sorted(done) == list(range(1000))
    for_each(done.append, [])
    with pytest.raises(ZeroDivisionError):
        for_each(lambda number: 1 // (number - 500), range(1000))
