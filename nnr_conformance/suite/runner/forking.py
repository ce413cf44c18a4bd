"""The process that imports an adapter once and forks for each case: what runs inside it.

It speaks JSON lines with whoever began it. First it is told the adapter and the paths of modules, and answers
``{"ready": ...}`` or ``{"failed": ...}``; then for each case it is told the folders and bounds, and answers how the
process of the case ended. It ends when nobody is there any more.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.adapter_case import answer_case
from nnr_conformance.suite.runner.bounding import bound_self
from nnr_conformance.suite.runner.implementation import Bounds
from nnr_conformance.suite.runner.loading import exception_class, load_adapter
from nnr_conformance.suite.runner.watching import Ended, watched


def main() -> int:
    """Serve until there is nothing more to read."""
    requests, replies = _own_pipes()
    start = json.loads(requests.readline())
    sys.path[:] = start["path"]
    try:
        adapter = load_adapter(start["adapter"])
        for name in start["rejections"]:
            exception_class(name)
    except UsageError as error:
        _say(replies, {"failed": str(error)})
        return 0
    _say(replies, {"ready": start["adapter"]})
    gc.collect()
    gc.freeze()
    for line in requests:
        request = json.loads(line)
        ended = _forked(adapter, start["rejections"], request, (requests, replies))
        _say(replies, as_row(ended))
    return 0


def as_row(ended: Ended) -> dict[str, Any]:
    """An end as a value of JSON."""
    row = asdict(ended)
    return {name: found.decode("latin-1") if isinstance(found, bytes) else found for name, found in row.items()}


def from_row(row: dict[str, Any]) -> Ended:
    """The end that `as_row` wrote."""
    words = {name: row[name].encode("latin-1") for name in ("said", "complained")}
    return Ended(**{**row, **words})


def _forked(adapter: Any, rejections: list[str], request: dict[str, Any], mine: tuple[IO[Any], ...]) -> Ended:
    said, says = os.pipe()
    complained, complains = os.pipe()
    bounds = Bounds(**request["bounds"])
    process = os.fork()
    if process:
        os.close(says)
        os.close(complains)
        return watched(process, said, complained, bounds.seconds)
    status = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for file in mine:
            os.close(file.fileno())
        os.close(said)
        os.close(complained)
        os.dup2(says, 1)
        os.dup2(complains, 2)
        os.close(says)
        os.close(complains)
        os.environ["TMPDIR"] = request["given"]
        bound_self(bounds)
        answer_case(adapter, rejections, Path(request["given"]), Path(request["folder"]))
        status = 0
    finally:
        os._exit(status)


def _own_pipes() -> tuple[IO[str], IO[str]]:
    """Standard input and output under other numbers; an adapter that prints or reads must not disturb them."""
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    os.close(nowhere)
    return requests, replies


def _say(replies: IO[str], message: dict[str, Any]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


if __name__ == "__main__":
    sys.exit(main())
