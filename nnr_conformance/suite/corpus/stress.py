"""Large streams that are made and not stored: millions of weights, thousands of units, long chains, deep names.

Each follows from a seed, bit by bit the same on every machine. `bitstreams/stress.yaml` has their SHA-256 and the
digests of their stages, so that whoever makes them knows that they are the ones that were meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.init_ids import choose_ids
from nnr_conformance.encoder.payload import entry_point_elements
from nnr_conformance.encoder.payload_writer import TensorPlan, with_ids, write_payload
from nnr_conformance.encoder.recipe import build_recipe

Unit = dict[str, Any]
Levels = NDArray[np.int32]

SEED = 15938
CHAIN = 64
"""Streams of the long chain."""
WEIGHTS = (2500, 4000)
SMALL_CHAIN = (24, 20)
UNITS = 10_000
ENCLOSED = 5_000
NAMES = 300
_DENSITY = 2
_GOLDEN_RATIO = 0x9E37_79B9_7F4A_7C15


@dataclass(frozen=True, slots=True)
class StressStream:
    """A stream: its name, what it is for, how it is made, the names of the streams that it updates.

    `small`: made in about a second, so that it is made again by every check.
    """

    name: str
    purpose: str
    build: Callable[[], bytes]
    behind: tuple[str, ...] = ()
    small: bool = True


def stress_streams() -> Iterator[StressStream]:
    """All of them, parents before their updates."""
    yield from _weights()
    yield StressStream("skipped", "2^24 weights in skipped rows, for 2 KB.", _skipped, small=False)
    yield StressStream("codebook", "A million indices into a codebook of 5000 entries.", _codebook, small=False)
    yield StressStream("units", f"{UNITS} units of a few bytes each.", partial(_units, UNITS), small=False)
    purpose = f"{ENCLOSED} units inside of one aggregate unit."
    yield StressStream("aggregate", purpose, partial(_aggregate, ENCLOSED), small=False)
    yield StressStream(
        "names", f"{NAMES} names of a hundred path components each, which differ in the last.", _deep_names
    )
    names: list[str] = []
    for depth in range(CHAIN):
        name = f"chain-{depth:02}"
        purpose = (
            f"Update {depth} of a chain of {CHAIN - 1}, with all contexts that there are." if depth else "A network."
        )
        yield StressStream(name, purpose, partial(_link, SMALL_CHAIN, depth), tuple(names))
        names.append(name)


def random_numbers(seed: int, count: int) -> NDArray[np.uint64]:
    """SplitMix64: the same 64-bit numbers everywhere, whatever NumPy's generators become."""
    with np.errstate(over="ignore"):
        state = (np.arange(1, count + 1, dtype=np.uint64) + np.uint64(seed << 32)) * np.uint64(_GOLDEN_RATIO)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return state ^ (state >> np.uint64(31))


def random_levels(seed: int, shape: tuple[int, int], zeros: int = 3) -> Levels:
    """Levels of which about 1 in 2 ** `zeros` is not 0, half of them of magnitude 1; one row in eight is of zeros."""
    numbers = random_numbers(seed, shape[0] * shape[1])
    lowest = numbers & (~numbers + np.uint64(1))
    exponents = np.frexp(lowest.astype(np.float64))[1]
    magnitudes = np.maximum(0, exponents - zeros)
    # Few are large, so that remainders have long prefixes too.
    magnitudes = np.where(magnitudes > 12, 1 << np.minimum(magnitudes, 28), magnitudes).astype(np.int32)
    signs = np.where(numbers >> np.uint64(63), -1, 1).astype(np.int32)
    levels: Levels = (magnitudes * signs).reshape(shape)
    levels[random_numbers(seed + 1, shape[0]) % np.uint64(8) == 0] = 0
    return levels


def link_levels(shape: tuple[int, int], depth: int) -> Levels:
    """The levels of stream `depth` of a chain."""
    return random_levels(SEED + 2 * depth, shape, zeros=1 if depth == 0 else 2)


def _weights() -> Iterator[StressStream]:
    elements = f"{WEIGHTS[0]} by {WEIGHTS[1]} weights"
    purposes = (
        f"{elements}.",
        f"An update of {elements}.",
        f"An update of {elements} with all contexts that there are.",
    )
    for depth, purpose in enumerate(purposes):
        before = tuple(f"weights-{number}" for number in range(depth))
        yield StressStream(f"weights-{depth}", purpose, partial(_link, WEIGHTS, depth), before, small=False)


def _link(shape: tuple[int, int], depth: int) -> bytes:
    """Stream `depth` of a chain: the base, a first update, then updates with temporal contexts and a history."""
    levels = link_levels(shape, depth)
    contexts: dict[str, Any] = {}
    elements: dict[str, Any] = {"device_id": 0, "parameter_id": 7, "put_node_depth": depth}
    if depth:
        elements |= {"parent_node_id_type": "ICNN_NDU_ID", "parent_device_id": 0}
        contexts = {"parent_present": True, "scan_order": 1 + depth % 4, "row_skip": ~levels.any(axis=1)}
    if depth > 1:
        history = np.zeros(shape, np.bool_)
        for earlier in range(1, depth):
            history |= link_levels(shape, earlier) != 0
        contexts |= {"history": history, "base": link_levels(shape, depth - 1)}
        elements["temporal_context_modeling_flag"] = 1
    # Trellis states are those of the last stream only, whose levels are nobody's base.
    last = depth == (2 if shape == WEIGHTS else CHAIN - 1)
    plan = TensorPlan(levels, dq=last, qp_value=-4, qp_bits=6 + _DENSITY, **_as_flags(contexts))
    mps = {"mps_qp_density": _DENSITY, **({"mps_parent_signalling_enabled_flag": 1} if depth else {})}
    return _stream(mps, [_coded("layer.weight", with_ids(plan, choose_ids(plan)), elements)])


def _skipped() -> bytes:
    levels = np.zeros((1 << 20, 16), np.int32)
    levels[12345] = np.arange(16, dtype=np.int32) - 8
    plan = TensorPlan(levels, qp_value=0, qp_bits=6 + _DENSITY, row_skip=_flags(~np.any(levels != 0, axis=1)))
    return _stream({"mps_qp_density": _DENSITY}, [_coded("w", plan, {})])


def _codebook() -> bytes:
    size, shape = 5000, (1000, 1000)
    steps = [int(number) for number in random_numbers(SEED, size - 1) % np.uint64(40)]
    zero = size >> 1
    levels = np.clip(random_levels(SEED + 1, shape, zeros=1), -zero, size - 1 - zero).astype(np.int32)
    plan = TensorPlan(
        levels, unary_length=256, qp_value=-20, qp_bits=6 + _DENSITY, codebook_size=size, codebook_zero=zero
    )
    elements = {
        "codebook_egk": 4,
        "codebook_size": size,
        "codebook_zero_value": 1,
        "codebook_delta_left": steps[:zero],
        "codebook_delta_right": steps[zero:],
    }
    mps = {"mps_qp_density": _DENSITY, "mps_quantization_method_flags": 2}
    return _stream(mps, [_coded("w", with_ids(plan, choose_ids(plan)), elements)])


def _tiny(number: int) -> Unit:
    """A unit of two numbers, raw or integers."""
    name = f"tensor.{number}"
    if number % 2:
        return {"NNR_NDU": {"topology_elem_id": name, "float32": [number / 4, -number]}}
    kind = {"nnr_compressed_data_unit_payload_type": "NNR_PT_INT"}
    return {"NNR_NDU": {"topology_elem_id": name, **kind, "tensors": [{"levels": [number, -(number % 7)]}]}}


def _units(count: int) -> bytes:
    return _stream({}, [_tiny(number) for number in range(count)])


def _aggregate(count: int) -> bytes:
    return _stream({}, [{"NNR_AGG": {"units": [_tiny(number) for number in range(count)]}}])


def _classes() -> bytes:
    accuracies = [int(number) / 1024 for number in random_numbers(SEED, 65_535) % np.uint64(1024)]
    record = {"mse_threshold": [0.5], "dpm_nn_accuracy": [0.75], "nn_reduction_ratio": [0.5]}
    return _stream({**record, "dpm_nn_class_accuracy": [accuracies]}, [_tiny(1)])


def _deep_names() -> bytes:
    path = ".".join(f"block{number}" for number in range(100))
    units = [{"NNR_NDU": {"topology_elem_id": f"{path}.{number}", "float32": [number / 8]}} for number in range(NAMES)]
    return _stream({}, units)


def _coded(name: str, plan: TensorPlan, elements: Mapping[str, Any]) -> Unit:
    written = write_payload([plan])
    unit = {
        "nnr_compressed_data_unit_payload_type": "NNR_PT_FLOAT",
        "topology_elem_id": name,
        "tensor_dimensions": [int(size) for size in plan.levels.shape],
        "cabac_unary_length_minus1": plan.unary_length - 1,
        "scan_order": plan.scan_order,
        "dq_flag": int(plan.dq),
        "cabac_payload": written.data,
        **entry_point_elements(written, [(plan, written.marks[0])]),
    }
    return {"NNR_NDU": {**unit, **elements}}


def _stream(parameters: Mapping[str, Any], units: Sequence[Unit]) -> bytes:
    return build_recipe([{"NNR_STR": {}}, {"NNR_MPS": dict(parameters)}, *units]).data


def _flags(rows: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.asarray(rows, np.uint8)


def _as_flags(contexts: Mapping[str, Any]) -> dict[str, Any]:
    """Row flags as numbers; without a row of zeros there is nothing to skip."""
    found = dict(contexts)
    if "row_skip" in found:
        found["row_skip"] = _flags(found["row_skip"]) if found["row_skip"].any() else None
    return found
