"""Which readings a stream depends on: those whose choices differ on it, and the verdict under each other choice.

A reading of the syntax makes a difference where the structure that it is about holds something that the choices read
in different ways; decoding marks the others where it meets them. Only what was marked is checked again, once for each
other choice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnr_conformance.checker.peculiarity_rules import is_one_string
from nnr_conformance.readings import Readings, known_readings
from nnr_conformance.report.model import ReadingOutcome, StreamReport, Verdict
from nnr_conformance.syntax.enumerations import AGG, CPT_DC, DFL, LPS, MPS, NDU, QNT, TPL
from nnr_conformance.syntax.unit_parser import Unit

RESOLVED = ("edition1-payload",)
"""Readings whose default tries their choices by itself and says which one it was."""

_MAP_COUNTS = {
    "sparsification_performance_map": "spm_count_thresholds",
    "pruning_performance_map": "ppm_count_pruning_ratios",
    "unification_performance_map": "upm_count_thresholds",
    "decomposition_performance_map": "dpm_count_thresholds",
}


@dataclass(slots=True)
class ReadingTracker:
    """What the streams of a chain depend on, by the number of the stream; `readings` are to be used for decoding."""

    readings: Readings
    _by_stream: list[set[str]] = field(default_factory=list)

    def see(self, number: int, unit: Unit) -> None:
        """A unit of stream `number` was parsed and is about to be decoded."""
        self._collect(number)
        self._by_stream[number].update(of_syntax(unit))

    def of_stream(self, number: int) -> set[str]:
        """The readings whose choices differ on this stream."""
        self._collect(len(self._by_stream))
        return self._by_stream[number] if number < len(self._by_stream) else set()

    def _collect(self, number: int) -> None:
        """What was marked so far belongs to the stream before `number`."""
        assert self.readings.marked is not None
        while len(self._by_stream) <= number:
            self._by_stream.append(set())
            if len(self._by_stream) > 1:
                self._by_stream[-2].update(self.readings.marked)
                self.readings.marked.clear()


def with_outcomes(
    streams: Sequence[StreamReport],
    tracker: ReadingTracker,
    verdicts: Callable[[Readings], Sequence[Verdict]],
) -> tuple[StreamReport, ...]:
    """The reports with what they depend on. `verdicts` checks the chain again under other readings."""
    found = [tracker.of_stream(number) - set(tracker.readings.chosen) - set(RESOLVED) for number in range(len(streams))]
    others: dict[tuple[str, str], Sequence[Verdict]] = {}
    for reading in sorted(set().union(*found)):
        for name in known_readings()[reading]["readings"]:
            if name != tracker.readings[reading]:
                others[reading, name] = verdicts(tracker.readings.but(reading, name))
    return tuple(
        stream.with_consulted(tuple(_outcomes(stream, number, found[number], tracker.readings, others)))
        for number, stream in enumerate(streams)
    )


def _outcomes(
    stream: StreamReport,
    number: int,
    own: set[str],
    readings: Readings,
    others: Mapping[tuple[str, str], Sequence[Verdict]],
) -> Iterator[ReadingOutcome]:
    """Of the stream's own readings, and of those of streams before that change its verdict."""
    for reading in dict.fromkeys(reading for reading, _ in others):
        verdicts = {name: found[number] for (key, name), found in others.items() if key == reading}
        if reading in own or any(verdict is not stream.verdict for verdict in verdicts.values()):
            yield ReadingOutcome(reading, readings[reading], verdicts)


def of_syntax(unit: Unit) -> Iterator[str]:
    """The readings of the syntax whose choices differ on this unit."""
    kind = unit.unit_type
    if kind == NDU:
        yield from _of_compressed_data(unit.header.get("nnr_compressed_data_unit_header", {}))
        yield from _of_parameters(unit)
    elif kind == AGG:
        yield "aggregate-layout"
    elif kind in (MPS, LPS):
        yield from _of_maps(unit.payload)
    elif kind == TPL:
        container = unit.payload.get("nnr_pruning_topology_container", {})
        if "pruning_dictionary" in container:
            yield "pruning-dictionary"
        if "sparsity_bit_mask" in container and container["order_flag"] == 0:
            yield "mask-order"
        yield from _of_bytes(unit, "topology")
    elif kind == QNT:
        yield from _of_bytes(unit, "quantization")


def _of_bytes(unit: Unit, prefix: str) -> Iterator[str]:
    data = unit.payload.get(f"{prefix}_data")
    if data is not None and (unit.get(f"{prefix}_compression_format") == DFL or not is_one_string(data)):
        yield "byte-string"


def _of_maps(payload: Mapping[str, Any]) -> Iterator[str]:
    if any(payload.get(name, {}).get(count, 0) > 0 for name, count in _MAP_COUNTS.items()):
        yield "map-count"
    tree = payload.get("unification_performance_map", {})
    pairs = zip(tree.get("upm_class_bitmask", ()), tree.get("upm_count_classes", ()), strict=False)
    if any(mask != count for mask, count in pairs):
        yield "class-accuracy-count"


def _of_compressed_data(header: Mapping[str, Any]) -> Iterator[str]:
    if header.get("first_tensor_dimension_shift", 0):
        yield "dimension-shift"
    if 2 <= header.get("nnr_decompressed_data_format", 0) <= 9:
        yield "decompressed-formats"
    if header.get("tensor_dimensions_list", {}).get("count_tensor_dimensions") == 0:
        yield "scalar-dimensions"
    mapping = header.get("topology_tensor_dimension_mapping")
    if mapping is not None:
        if len(mapping.get("split_index", ())) > 1:
            yield "split-index"
        indices, values = mapping.get("shift_index", ()), mapping.get("shift_value", ())
        if any(_shifts_differ(*piece) for piece in zip(indices, values, strict=False)):
            yield "axis-shift"


def _of_parameters(unit: Unit) -> Iterator[str]:
    types = unit.get("compressed_parameter_types", 0)
    if unit.get("input_parameters_present_flag", 1) == 0 and types:
        yield "outside-types"
    if unit.get("scan_order", 0):
        dims = unit.get("tensor_dimensions", ())
        rows, rank = unit.get("g_number_of_rows", 0), unit.get("decomposition_rank", 0)
        elements = math.prod(dims)
        shapes = [(rows, rank), (rank, elements // max(rows, 1))]
        if not types & CPT_DC:
            first = unit.get("CodedRows", 0)
            shapes = [(first, elements // max(first, 1))]
        size = 4 << min(unit.get("scan_order"), 4)
        if any(height > size and width == 1 for height, width in shapes):
            yield "narrow-entry-points"


def _shifts_differ(indices: Sequence[int], values: Sequence[int]) -> bool:
    """Moving axis n by n places is turning all of them up to n by n; any other number of places is not."""
    return any(index != value for index, value in zip(indices, values, strict=False))
