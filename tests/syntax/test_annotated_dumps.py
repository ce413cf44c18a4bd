"""The example streams are read bit for bit as their annotated dumps say (facts on high-level syntax, clause 9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nnr_conformance.data import data_path
from nnr_conformance.readings import Readings
from nnr_conformance.scope import Session, TraceEntry
from nnr_conformance.syntax.unit_walker import walk_units

DUMPS = yaml.safe_load((Path(__file__).parent / "annotated_dumps.yaml").read_text(encoding="utf-8"))
EXAMPLES = sorted(data_path("bitstreams/examples").glob("*.nnr"))


def traces(path: Path, readings: Readings) -> tuple[list[tuple[int, list[TraceEntry]]], Session]:
    """For each unit its first bit and its trace."""
    session = Session(trace=[])
    found = []
    for unit in walk_units(memoryview(path.read_bytes()), session, readings):
        assert session.trace is not None
        found.append((8 * unit.first, list(session.trace)))
        session.trace.clear()
    return found, session


def digits_of(data: bytes, first: int, size: int) -> str:
    return "".join(f"{byte:08b}" for byte in data)[first : first + size]


def binary(pattern: str) -> str:
    if not pattern.startswith("hex "):
        return pattern
    return "".join(f"{byte:08b}" for byte in bytes.fromhex(pattern.removeprefix("hex ")))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("byte_string", ["bytes", "string"])
def test_examples_are_read_without_findings_and_each_bit_once(path: Path, byte_string: str) -> None:
    units, session = traces(path, Readings.choose({"byte-string": byte_string}))
    assert not list(session.findings)
    reached = 0
    for entry in (entry for _, trace in units for entry in trace if not entry.inferred):
        assert entry.first == reached
        reached += entry.size
    assert reached == 8 * path.stat().st_size


def test_dumps_exist_for_every_kind_of_example() -> None:
    assert len(EXAMPLES) >= 9
    assert set(DUMPS) <= {path.name for path in EXAMPLES}
    assert sum(len(rows) for units in DUMPS.values() for rows in units.values()) == 455


@pytest.mark.parametrize(("name", "number"), [(name, number) for name, units in DUMPS.items() for number in units])
def test_every_row_of_a_dump_is_in_the_trace(name: str, number: int) -> None:
    path = data_path(f"bitstreams/examples/{name}")
    data = path.read_bytes()
    units, _ = traces(path, Readings())
    base, trace = units[number]
    entries = {entry.first - base: entry for entry in trace if not entry.inferred}
    for first, pattern, element, expected in DUMPS[name][number]:
        entry = entries[first]
        assert entry.name == element
        assert digits_of(data, entry.first, entry.size) == binary(pattern)
        assert comparable(entry, element) == expected


def comparable(entry: TraceEntry, element: str) -> Any:
    if element == "byte_alignment()":
        return None
    if element == "topology_data":
        # The dump shows the public codec's st(v) of an empty string; by default these are bytes, the zero one included.
        assert bytes(entry.value) == b"\x00"
        return ""
    return entry.value


def test_the_dumps_cover_every_element_of_their_units() -> None:
    for name, dumped in DUMPS.items():
        units, _ = traces(data_path(f"bitstreams/examples/{name}"), Readings())
        for number, rows in dumped.items():
            _, trace = units[number]
            payload = {"cabac_payload", "raw_float32_parameter"}
            read = [entry.name for entry in trace if not entry.inferred and entry.name not in payload]
            assert read == [element for _, _, element, _ in rows]


def test_the_string_reading_of_topology_data_is_the_empty_string_of_the_dump() -> None:
    units, _ = traces(data_path("bitstreams/examples/ex1_ed1_plain.nnr"), Readings.choose(["byte-string=string"]))
    (entry,) = [entry for entry in units[2][1] if entry.name == "topology_data"]
    assert (entry.value, entry.size) == ("", 8)
