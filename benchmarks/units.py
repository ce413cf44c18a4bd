"""Print what parsing, decoding and checking of many tiny units costs: ``python -m benchmarks.units``.

Each unit is a compressed data unit of 100 bytes with a name of its own and a raw float tensor, so that 10^4 units are
1 MB and nearly all of the work is framing, parsing, rules and digests. Import and what a first check loads are not
counted: a stream of ten units is checked before anything is measured. Every size is checked `--repeats` times (the
largest once), and the fastest counts. Time is that of the processor, which is what the clock shows on an idle machine;
the clock's own is printed beside it. The exit code is 1 when 10^4 units take longer than `--seconds`, when the time
grows with a larger exponent than `--exponent`, or when fewer units than `--rate` are framed and parsed in a second.

Framing and syntax are measured with the declarations walked for each unit, and with the parsers that are generated from
them, without and with the trace of each unit; decoding without digests as ``nnr-decode`` does it, in one thread.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Iterator, Sequence

import numpy as np

import nnr_conformance
from benchmarks.effort import FEW_REPETITIONS, Effort
from benchmarks.machine import pinned
from benchmarks.table import Row, Target
from nnr_conformance.api import chain_decoder
from nnr_conformance.encoder.units import build_unit, state_for
from nnr_conformance.framing import frame
from nnr_conformance.readings import DEFAULT_READINGS
from nnr_conformance.report.model import Verdict
from nnr_conformance.scope import Session, TraceEntry
from nnr_conformance.syntax.unit_walker import walk_units

SIZES = (100, 1_000, 10_000, 100_000)
LARGE_POWER = 8
TARGET = Target(">=", 10_000)
WAYS_TO_PARSE: tuple[tuple[str, dict[str, bool], Target | None], ...] = (
    ("", {"traced": False}, TARGET),
    (", traced", {"traced": True}, TARGET),
    (", by the declarations", {"traced": False, "specialise": False}, None),
)
"""Words behind "framing and syntax", options of `seconds_to_parse`, and what is asked for."""
_VALUES = np.linspace(-1, 1, 18, dtype="<f4").tobytes()


def stream_of(count: int) -> bytes:
    """A start unit, a model parameter set, and `count` compressed data units of 100 bytes."""
    return b"".join((_start(), _parameter_set(), *(_unit(number) for number in range(count))))


def _header(unit_type: int, **specific: object) -> dict[str, object]:
    return {
        "nnr_unit_type": unit_type,
        "independently_decodable_flag": 1,
        "partial_data_counter_present_flag": 0,
        **specific,
    }


def _start() -> bytes:
    return build_unit(_header(0, nnr_start_unit_header={"general_profile_idc": 1}), state=state_for(1))


def _parameter_set() -> bytes:
    flags = (
        "topology_carriage_flag",
        "mps_sparsification_flag",
        "mps_pruning_flag",
        "mps_unification_flag",
        "mps_decomposition_performance_map_flag",
        "mps_quantization_method_flags",
        "mps_topology_indexed_reference_flag",
        "base_model_id_present_flag",
        "validation_set_performance_present_flag",
        "metric_type_performance_map_valid_flag",
        "mps_parent_signalling_enabled_flag",
        "nnr_pre_flag",
    )
    return build_unit(_header(1, nnr_model_parameter_set_unit_header={}), dict.fromkeys(flags, 0), state_for(1))


def _unit(number: int) -> bytes:
    header = {
        "nnr_compressed_data_unit_payload_type": 2,
        "nnr_multiple_topology_elements_present_flag": 0,
        "nnr_decompressed_data_format_present_flag": 0,
        "input_parameters_present_flag": 1,
        "topology_elem_id": f"decoder.{number:09}",
        "node_id_present_flag": 0,
        "parent_node_id_present_flag": 0,
        "codebook_present_flag": 0,
        "dq_flag": 0,
        "tensor_dimensions_flag": 1,
        "cabac_unary_length_flag": 1,
        "compressed_parameter_types": 0,
        "tensor_dimensions_list": {"count_tensor_dimensions": 2, "tensor_dimensions": [3, 6]},
        "cabac_unary_length_minus1": 10,
        "first_tensor_dimension_shift": 0,
        "scan_order": 0,
    }
    return build_unit(
        _header(5, nnr_compressed_data_unit_header=header), {"raw_float32_parameter": _VALUES}, state_for(1)
    )


def seconds_to_check(stream: bytes, repeats: int) -> tuple[float, float]:
    """Processor and clock seconds of the fastest of some checks, with the garbage of the one before gone."""
    fastest = (float("inf"), float("inf"))
    for _ in range(repeats):
        gc.collect()
        processor, clock = time.process_time(), time.perf_counter()
        report = nnr_conformance.check(stream)
        fastest = min(fastest, (time.process_time() - processor, time.perf_counter() - clock))
        if report.verdict is not Verdict.CONFORMING:
            raise SystemExit(f"the stream is {report.verdict.value}: {report.diagnostics[0]}")
    return fastest


def power_fit(sizes: Sequence[int], times: Sequence[float]) -> tuple[float, float]:
    """a and b of time = a * size^b: least squares of the logarithms."""
    exponent, logarithm = np.polyfit(np.log(sizes), np.log(times), 1)
    return float(np.exp(logarithm)), float(exponent)


def linear_fit(sizes: Sequence[int], times: Sequence[float]) -> tuple[float, float, float]:
    """Slope, offset and coefficient of determination of time = slope * size + offset."""
    slope, offset = np.polyfit(sizes, times, 1)
    measured = np.array(times)
    rest = measured - (slope * np.array(sizes) + offset)
    spread = measured - measured.mean()
    return float(slope), float(offset), 1 - float(rest @ rest) / float(spread @ spread)


def seconds_to_parse(stream: bytes, *, traced: bool = True, specialise: bool = True) -> float:
    """Processor seconds of framing and syntax alone, with the trace of each unit for checkers, or without.

    `specialise`: by generated parsers.
    """
    trace: list[TraceEntry] = []
    session = Session(trace=trace if traced else None, specialise=specialise)
    started = time.process_time()
    for _ in walk_units(memoryview(stream), session, DEFAULT_READINGS):
        trace.clear()
    taken = time.process_time() - started
    if any(session.findings):
        raise SystemExit("the stream is not as it was built")
    return taken


def seconds_to_frame(stream: bytes) -> float:
    """Processor seconds of framing alone."""
    started = time.process_time()
    for _ in frame(memoryview(stream), Session()):
        """Nothing is done with it."""
    return time.process_time() - started


def seconds_to_decode(stream: bytes) -> float:
    """Processor seconds of decoding in one thread without digests."""
    started = time.process_time()
    chain = chain_decoder(stream, threads=1)
    chain.digesting = False
    for _ in chain:
        """Nothing is done with it."""
    return time.process_time() - started


def rows(effort: Effort) -> Iterator[Row]:
    """The rows of the table: tiny units each second, parsed, and checked."""
    count = 1_000 if effort.quick else 10_000 if effort.largest < LARGE_POWER else 100_000
    stream = stream_of(count)
    name = f"{count} units of 100 bytes"
    seconds_to_parse(stream_of(10))
    with pinned():
        for what, options, target in WAYS_TO_PARSE:
            seconds = statistics.median(seconds_to_parse(stream, **options) for _ in range(effort.repetitions))
            yield Row("units", f"{name}: framing and syntax{what}", "units/s", count / seconds, target=target)
        decoding = statistics.median(seconds_to_decode(stream) for _ in range(effort.repetitions))
        yield Row("units", f"{name}: decoding without digests", "units/s", count / decoding)
        checking = seconds_to_check(stream, FEW_REPETITIONS)[1]
        yield Row("units", f"{name}: check()", "units/s", count / checking)


def print_stages(repeats: int) -> float:
    """Print what framing, syntax and decoding cost; how many units are framed and parsed in a second, at least."""
    rates = []
    for size in SIZES[-2:]:
        stream = stream_of(size)
        for what, options, _ in WAYS_TO_PARSE:
            rate = size / min(seconds_to_parse(stream, **options) for _ in range(repeats))
            print(f"{size:>7} units, framing + syntax{what}: {rate:.0f} units/s", flush=True)
            if options.get("specialise", True):
                rates.append(rate)
    size = SIZES[-2]
    stream = stream_of(size)
    framing = min(seconds_to_frame(stream) for _ in range(repeats))
    syntax = min(seconds_to_parse(stream, traced=False) for _ in range(repeats))
    whole = min(seconds_to_decode(stream) for _ in range(repeats))
    parts = (("framing", framing), ("syntax", syntax - framing), ("tensors", whole - syntax))
    shares = ", ".join(f"{name} {1e6 * seconds / size:.1f}" for name, seconds in parts)
    print(f"{size:>7} units, decoded without digests: {1e6 * whole / size:.1f} us a unit ({shares})", flush=True)
    return min(rates)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print one line for each size and the fits; 1 when a bound is broken."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.units", description=__doc__)
    options.add_argument("--repeats", type=int, default=3, help="checks of each size but the largest (default: 3)")
    options.add_argument("--seconds", type=float, default=3.0, help="most that 10^4 units may take (default: 3)")
    options.add_argument("--exponent", type=float, default=1.1, help="largest exponent of the fit (default: 1.1)")
    options.add_argument("--rate", type=float, default=10_000, help="fewest units in a second (default: 10000)")
    arguments = options.parse_args(argv)
    nnr_conformance.check(stream_of(10))
    rate = print_stages(arguments.repeats)
    print(f"framing + syntax: {rate:.0f} units/s (bound {arguments.rate:g})")
    times = []
    for size in SIZES:
        stream = stream_of(size)
        seconds, clock = seconds_to_check(stream, 1 if size == SIZES[-1] else arguments.repeats)
        times.append(seconds)
        figures = f"{len(stream) / 1e6:8.3f} MB {seconds:8.3f} s {1e6 * seconds / size:7.1f} us a unit"
        print(f"{size:>7} units {figures} (clock {clock:.3f} s)", flush=True)
    factor, exponent = power_fit(SIZES, times)
    slope, offset, determination = linear_fit(SIZES, times)
    print(f"time = {factor:.3g} s * units^{exponent:.3f}")
    print(f"time = {1e6 * slope:.1f} us * units + {1e3 * offset:.1f} ms, r^2 = {determination:.6f}")
    ten_thousand = times[SIZES.index(10_000)]
    print(f"10^4 units: {ten_thousand:.2f} s (bound {arguments.seconds:g} s)")
    return int(ten_thousand > arguments.seconds or exponent > arguments.exponent or rate < arguments.rate)


if __name__ == "__main__":
    sys.exit(main())
