"""Streams that grow unit by unit, whole and damaged: what holds of every stream holds after every step."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import nnr_conformance
from nnr_conformance import Decoded, Report
from nnr_conformance.encoder.units import with_size
from nnr_conformance.report.model import StreamReport, verdict_of
from tests.decoder.stream_builder import (
    aggregate,
    coded,
    layer_set,
    parameter_set,
    raw,
    reference_list,
    start,
    topology,
)

NAMES = st.sampled_from(["a", "b", "layer.0", "layer_G", "layer_H"])
VECTORS = st.sampled_from(["e2-001-plain", "e2-003-rowskip", "e2-016-cb1", "e1-002-1d", "e1-013-scan1"])
SHAPES = st.sampled_from([(1,), (2, 2), (3, 1, 2), (4,)])
FRAMING = {"unit_size_truncated", "unit_size_too_small", "unit_exceeds_stream"}
LONGEST = 24


def same(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def body_of(unit: bytes) -> bytes:
    return unit[4 if unit[0] & 0x80 else 2 :]


class GrowingStream(RuleBasedStateMachine):
    """Adds units to a stream; `units` are its top-level units, `rest` are bytes behind them that are no unit."""

    def __init__(self) -> None:
        super().__init__()
        self.units: list[bytes] = []
        self.rest = b""
        self.before: tuple[Report, Decoded] | None = None
        self.now: tuple[Report, Decoded] | None = None

    @initialize(profile=st.integers(0, 1), indexed=st.booleans(), updates=st.booleans(), whole=st.booleans())
    def begin(self, profile: int, indexed: bool, updates: bool, whole: bool) -> None:
        if whole:
            self.units = [start(profile), parameter_set(profile, indexed=int(indexed), updates=int(updates))]

    def add(self, *units: bytes) -> None:
        if not self.rest and len(self.units) < LONGEST:
            self.before = self.now
            self.units.extend(units)

    @rule(name=NAMES, shape=SHAPES, profile=st.integers(0, 1))
    def add_raw_tensor(self, name: str, shape: tuple[int, ...], profile: int) -> None:
        self.add(raw(name, np.arange(np.prod(shape), dtype=np.float32).reshape(shape), profile))

    @rule(name=NAMES, vector=VECTORS)
    def add_coded_tensor(self, name: str, vector: str) -> None:
        self.add(coded(name, vector, **({"codebook_present_flag": 0} if "cb" in vector else {})))

    @rule(index=st.integers(0, 3))
    def add_tensor_by_index(self, index: int) -> None:
        self.add(raw("", np.ones((2, 2), np.float32), topology_elem_id_index=index))

    @rule(quantization=st.one_of(st.none(), st.tuples(st.integers(0, 7), st.integers(-64, 64))))
    def add_layer_set(self, quantization: tuple[int, int] | None) -> None:
        self.add(layer_set(quantization))

    @rule(data=st.binary(max_size=12), compression=st.integers(0, 2), storage=st.sampled_from([0, 1, 4, 7]))
    def add_topology(self, data: bytes, compression: int, storage: int) -> None:
        self.add(topology(storage, {"topology_data": data}, compression))

    @rule(names=st.lists(NAMES, min_size=2, max_size=4))
    def add_reference_list(self, names: list[str]) -> None:
        self.add(reference_list(*names))

    @rule(profile=st.integers(0, 1))
    def add_another_model(self, profile: int) -> None:
        self.add(start(profile), parameter_set(profile))

    @rule(name=NAMES, count=st.integers(1, 4), dropped=st.integers(-4, 3))
    def add_parts(self, name: str, count: int, dropped: int) -> None:
        values = np.arange(count, dtype=np.float32)
        parts = [raw(name, values, part=count - n, payload=values[n : n + 1].tobytes()) for n in range(count)]
        self.add(*(part for number, part in enumerate(parts) if number != dropped))

    @rule(names=st.lists(NAMES, min_size=2, max_size=3), nested=st.booleans(), records=st.booleans())
    def add_aggregate(self, names: list[str], nested: bool, records: bool) -> None:
        inner = aggregate(*(raw(name, np.ones((1, 2), np.float32)) for name in names), records=records)
        self.add(aggregate(inner, layer_set(None)) if nested else inner)

    @precondition(lambda self: self.units)
    @rule(data=st.data())
    def add_damaged_unit(self, data: st.DataObject) -> None:
        body = bytearray(body_of(data.draw(st.sampled_from(self.units))))
        for bit in data.draw(st.lists(st.integers(0, 8 * len(body) - 1), min_size=1, max_size=3)):
            body[bit >> 3] ^= 0x80 >> (bit & 7)
        self.add(with_size(bytes(body[: data.draw(st.integers(1, len(body)))])))

    @precondition(lambda self: self.units)
    @rule(data=st.data())
    def repeat_unit(self, data: st.DataObject) -> None:
        self.add(data.draw(st.sampled_from(self.units)))

    @rule(body=st.binary(min_size=1, max_size=20))
    def add_unit_of_random_bytes(self, body: bytes) -> None:
        self.add(with_size(body))

    @precondition(lambda self: len(self.units) > 6)
    @rule(rest=st.binary(min_size=1, max_size=8))
    def end_with_random_bytes(self, rest: bytes) -> None:
        self.rest = rest

    @invariant()
    def everything_holds(self) -> None:
        stream = b"".join(self.units) + self.rest
        report = nnr_conformance.check(stream)
        decoded = nnr_conformance.decode(stream, transmitted=True)
        self.now = (report, decoded)
        (found,) = report.streams
        assert found.verdict is verdict_of(found.diagnostics) is report.verdict
        assert sum(group.count for group in found.groups) == len(found.diagnostics)
        self.units_tile_the_stream(found, len(stream))
        assert nnr_conformance.check(stream) == report
        assert nnr_conformance.check(stream, compiled=False) == report
        assert {stage: decoded.digests[stage] for stage in found.digests} == found.digests
        assert all(values.dtype != np.float64 for values in decoded.tensors.values())
        nnr_conformance.decode(stream)
        if self.before is not None and not self.rest:
            self.what_was_decoded_stays(*self.before)

    def units_tile_the_stream(self, found: StreamReport, size: int) -> None:
        outer = [unit for unit in found.units if "." not in unit.label]
        reached = 0
        for number, unit in enumerate(outer):
            assert unit.label == f"unit {number}"
            assert unit.first == reached
            reached += unit.size
        assert reached == size or FRAMING & {one.code for one in found.diagnostics}
        if not self.rest:
            assert [unit.size for unit in outer] == [len(unit) for unit in self.units]

    def what_was_decoded_stays(self, report: Report, decoded: Decoded) -> None:
        assert self.now is not None
        rows, rows_now = report.streams[0].tensors, self.now[0].streams[0].tensors
        assert rows_now[: len(rows)] == rows
        assert self.now[0].streams[0].units[: len(report.streams[0].units)] == report.streams[0].units
        times, times_now = Counter(row.name for row in rows), Counter(row.name for row in rows_now)
        for name, values in decoded.tensors.items():
            if times[name] == times_now[name]:
                assert same(self.now[1].tensors[name], values), name


GrowingStream.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
TestGrowingStream = GrowingStream.TestCase
