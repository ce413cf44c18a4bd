"""Streams are mapped where they are large, and what was read of them leaves memory."""

from __future__ import annotations

import mmap
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks import streams
from nnr_conformance.api import chain_decoder
from nnr_conformance.cli.streams import ReadPages, read_streams

SMAPS = Path("/proc/self/smaps")
SIZE = 6 << 20


def resident(path: Path) -> int:
    """Bytes of a mapped file that are in memory."""
    found = 0
    here = False
    for line in SMAPS.read_text().splitlines():
        if not line.split()[0].endswith(":"):
            here = line.endswith(str(path))
        elif here and line.startswith("Rss:"):
            found += int(line.split()[1]) << 10
    return found


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "one.nnr", tmp_path / "two.nnr"]
    for number, path in enumerate(paths):
        path.write_bytes(bytes([7 + number]) * SIZE)
    return paths


@pytest.mark.skipif(
    not SMAPS.exists() or not hasattr(mmap, "MADV_DONTNEED"), reason="nothing tells what of a mapping is in memory"
)
def test_what_lies_behind_the_read_position_leaves_memory(files: list[Path]) -> None:
    found = read_streams([str(path) for path in files])
    pages = ReadPages(found)
    assert [stream[:: mmap.PAGESIZE].tobytes().count(7 + at) for at, stream in enumerate(found)] == 2 * [
        SIZE // mmap.PAGESIZE
    ]
    assert [resident(path) for path in files] == [SIZE, SIZE]
    pages.at(SIZE // 2 + 1)
    assert resident(files[0]) <= SIZE // 2  # less where the system has larger pages for files
    assert resident(files[1]) == SIZE
    pages.at(SIZE + SIZE // 2)
    assert resident(files[0]) == 0
    assert resident(files[1]) <= SIZE // 2


@pytest.mark.skipif(
    not SMAPS.exists() or not hasattr(mmap, "MADV_DONTNEED"), reason="nothing tells what of a mapping is in memory"
)
def test_a_stream_of_many_units_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "stream.nnr"
    found = streams.pattern((100, 200))
    streams.write(path, found, SIZE // len(found.unit))
    size = path.stat().st_size
    chain = chain_decoder(read_streams([str(path)]), tensors=["none of them"])
    chain.digesting = False
    pages = ReadPages(chain.streams)
    places, most = [0], 0

    def at(place: int) -> None:
        nonlocal most
        most = max(most, resident(path))
        pages.at(place)
        places.append(place)

    chain.on_read = at
    assert not list(chain)
    assert max(places) > 0.9 * size
    # Once for the framing of all units, and once to decode them.
    assert sum(later < place for place, later in pairwise(places)) == 1
    assert 0 < most < size / 2


def test_what_was_given_back_can_be_read_again(files: list[Path]) -> None:
    found = read_streams([str(path) for path in files])
    ReadPages(found).at(2 * SIZE)
    assert [bytes(stream) == path.read_bytes() for stream, path in zip(found, files, strict=True)] == [True, True]


def test_streams_that_are_not_mapped_stay_as_they_are(tmp_path: Path) -> None:
    small = tmp_path / "small.nnr"
    small.write_bytes(b"123")
    found = [*read_streams([str(small)]), memoryview(bytes(SIZE))]
    ReadPages(found).at(SIZE)
    assert bytes(found[0]) == b"123"
