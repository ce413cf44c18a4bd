"""NNCodec as a witness of the golden streams: makes `bitstreams/nncodec.yaml`, or compares it with NNCodec as it is.

    python -m tests.interop.golden_witnesses --write [PATH...]
    python -m tests.interop.golden_witnesses --check [PATH...]

Each stream is decoded in a process of its own, because NNCodec may crash or not come back. PATH: beginnings of paths
below bitstreams/. What has a row is not decoded again by --write, unless the stream changed or --all is given.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from nnr_conformance.data import data_path
from nnr_conformance.suite.corpus.golden import Golden, golden_streams
from nnr_conformance.suite.corpus.nncodec_rows import key
from nnr_conformance.suite.corpus.sidecar import NNCODEC, nncodec
from nnr_conformance.suite.mutation.children import run_tasks
from tests.interop.golden_rows import VERSION, Row, as_text, row_of, tried
from tests.interop.nncodec_witness import witness

PATIENCE = 60.0
"""Seconds without a message after which a process is ended."""


def witnessed(streams: Sequence[Golden], jobs: int = 1) -> Iterator[tuple[str, Row]]:
    """The rows of the streams, by path, as NNCodec is today."""
    gc.collect()
    gc.freeze()
    try:
        for ended in run_tasks(streams, witness, jobs, PATIENCE):
            facts, found = tried(ended.messages, ended.signal)
            if facts is None or not found:
                raise RuntimeError(f"{ended.task.path}: ended before NNCodec had it, by signal {ended.signal}")
            yield ended.task.path, row_of(ended.task, facts, found)
    finally:
        gc.unfreeze()


def chosen(paths: Sequence[str]) -> list[Golden]:
    """The streams whose paths begin so; all without paths."""
    return [one for one in golden_streams() if not paths or one.path.startswith(tuple(paths))]


def is_current(golden: Golden, rows: Mapping[str, Row]) -> bool:
    """Whether the row of a stream was made from what the stream is now."""
    row = rows.get(golden.path, {})
    return bool(row.get("version") == VERSION and row.get("sha256") == key(golden))


def changes(old: Mapping[str, Row], new: Mapping[str, Row]) -> Iterator[str]:
    """Where rows are not what they were, one line each."""
    for path, row in sorted(new.items()):
        if old.get(path) != row:
            yield f"{path}: {_shown(row)}; before: {_shown(old[path]) if path in old else 'no row'}"


def _shown(row: Row) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if name not in {"sha256", "version"})


def summary(rows: Mapping[str, Row]) -> Iterator[str]:
    """The figures: how many streams have which result, and what is behind it."""
    for result, count in Counter(row["result"] for row in rows.values()).most_common():
        same = [row for row in rows.values() if row["result"] == result]
        behind = Counter(name for row in same for name in _behind(row))
        notes = [f"{name} {number}" for name, number in behind.most_common()]
        if result == "agrees":
            notes.insert(
                0, f"{sum('helped' in row or 'without' in row for row in same)} with help or without some units"
            )
        yield f"{count:5} {result:<9} {', '.join(notes)}".rstrip()
    stages = Counter(stage for row in rows.values() for stage in row.get("agrees", ()))
    yield f"{len(rows):5} streams; NNCodec agrees on " + ", ".join(f"{name} of {stages[name]}" for name in stages)


def _behind(row: Row) -> Iterable[str]:
    """What is behind a result: divergences, readings, or a limit of this package."""
    return (*row.get("divergence", ()), *row.get("reading", ()), *(["limits"] if "limit" in row else []))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 when --check finds rows that are not what NNCodec gives."""
    parser = argparse.ArgumentParser(prog="golden_witnesses", description=(__doc__ or "").partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write the file")
    what.add_argument("--check", action="store_true", help="compare the file with what NNCodec gives now")
    what.add_argument("--summary", action="store_true", help="print the figures of the file")
    parser.add_argument("--all", action="store_true", help="decode streams again that have a row")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes at a time")
    parser.add_argument("paths", nargs="*", metavar="PATH", help="beginnings of paths below bitstreams/")
    given = parser.parse_args(arguments)
    old = {path: row for path, row in nncodec().items() if any(path == one.path for one in golden_streams())}
    streams = [] if given.summary else chosen(given.paths)
    if given.write and not given.all:
        streams = [one for one in streams if not is_current(one, old)]
    found = dict(_with_progress(streams, given.jobs))
    for line in changes(old, found):
        print(line)
    if given.write:
        folder, _, name = NNCODEC.partition("/")
        (data_path(folder) / name).write_text(as_text({**old, **found}), encoding="utf-8")
    for line in summary({**old, **found}):
        print(line)
    return int(given.check and any(changes(old, found)))


def _with_progress(streams: Sequence[Golden], jobs: int) -> Iterable[tuple[str, Row]]:
    for number, item in enumerate(witnessed(streams, jobs), 1):
        if sys.stderr.isatty():
            print(f"\r{number} of {len(streams)}", end="", file=sys.stderr, flush=True)
        yield item
    if sys.stderr.isatty():
        print(file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
