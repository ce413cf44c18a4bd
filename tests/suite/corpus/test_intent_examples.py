"""Examples whose results are worked out by hand from the facts, and faults of which each makes one of them wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from nnr_conformance.suite.corpus.intent import intended
from nnr_conformance.suite.corpus.intent.layout import Place, Role
from nnr_conformance.suite.corpus.intent.values import codebook, uniform
from nnr_conformance.suite.corpus.recipes import CorpusStream
from tests.suite.corpus.recipe_strategies import Recipe, quantization, stream_of

BLOCK = "NNR_PT_BLOCK"


@dataclass(frozen=True, slots=True)
class Example:
    """A chain of streams and the tensors at its end."""

    streams: tuple[list[Recipe], ...]
    tensors: Mapping[str, Any]
    readings: Mapping[str, str] | None = None

    def is_what_is_meant(self) -> bool:
        """Whether the intent is the same to the bit."""
        behind: list[CorpusStream] = []
        for units in self.streams:
            behind.append(stream_of(units, behind, {"readings": dict(self.readings or {})}))
        meant = intended(behind[-1]).tensors
        worked_out = {name: np.array(self.tensors[name], meant[name].dtype) for name in meant if name in self.tensors}
        return set(meant) == set(self.tensors) and all(
            (meant[name].shape, meant[name].tobytes()) == (values.shape, values.tobytes())
            for name, values in worked_out.items()
        )


def model(*units: dict[str, Any], density: int = 2, parameter: int = 0, parents: int = 0) -> list[Recipe]:
    """A stream with these compressed data units."""
    scale = quantization("mps", density, parameter) | ({"mps_parent_signalling_enabled_flag": 1} if parents else {})
    return [{"NNR_STR": {}}, {"NNR_MPS": scale}, *({"NNR_NDU": unit} for unit in units)]


def unit(levels: Any, name: str = "w", qp_value: int = 0, **elements: Any) -> dict[str, Any]:
    """A compressed data unit of one tensor."""
    said = {key: elements.pop(key) for key in ("row_skip",) if key in elements}
    return {"topology_elem_id": name, "tensors": [{"levels": levels, "qp_value": qp_value, **said}], **elements}


def update(levels: Any) -> list[Recipe]:
    """A stream that updates w."""
    ids = {"parameter_id": 1, "put_node_depth": 1, "parent_node_id_type": 0, "parent_device_id": 0}
    return model(unit(levels) | ids, parents=1)


EXAMPLES = {
    # Worked values of the step size with qp_density 2.
    "steps": Example(
        (model(*(unit([1], f"w{qp}", qp) for qp in (-20, -30, -8, -12, 0, 3))),),
        {"w-20": [0.03125], "w-30": [0.005859375], "w-8": [0.25], "w-12": [0.125], "w0": [1.0], "w3": [1.75]},
    ),
    "parameter of the model": Example(
        (model(unit([3, -2, 0], qp_value=4), parameter=-34),), {"w": [3 * 3 / 512, -3 * 2 / 512, 0]}
    ),
    # 2^24 + 1 becomes 2^24 in binary32, 2^24 + 3 becomes 2^24 + 4; the step is 1.5.
    "levels beyond binary32": Example(
        (model(unit([16777217, 16777219], qp_value=2)),), {"w": [25165824.0, 25165830.0]}
    ),
    # The products are 25165825.5 and 25165828.5, between even numbers.
    "exact products": Example(
        (model(unit([16777217, 16777219], qp_value=2)),),
        {"w": [25165826.0, 25165828.0]},
        {"level-rounding": "once"},
    ),
    # States 0, 2, 3, 4, 2, 1: even ones double, odd ones take one off.
    "dependent quantization": Example((model(unit([1, 1, -1, 0, 2, -1], dq_flag=1)),), {"w": [2, 2, -1, 0, 4, -1]}),
    # State 1 goes through 7 to 4 over the two skipped weights.
    "skipped rows": Example(
        (model(unit([[1, 2], [9, 9], [3, 4]], dq_flag=1, row_skip=[0, 1, 0])),), {"w": [[2, 4], [0, 0], [6, 8]]}
    ),
    # The first eight columns of both rows come before the ninth: the 1 of row 1 is coded in state 0, the other in 7.
    "block scan": Example(
        (model(unit([[0] * 8 + [1], [0, 1] + [0] * 7], dq_flag=1, scan_order=1)),),
        {"w": [[0.0] * 8 + [1.0], [0.0, 2.0] + [0.0] * 7]},
    ),
    # The worked codebooks [-1, 0, 1, 2] and [-1, 1, 2], and one of which all entries are below the zero entry.
    "codebooks": Example(
        (
            model(
                unit(
                    [-1, 0, 1, 2],
                    "a",
                    codebook_size=4,
                    codebook_center_offset=-1,
                    codebook_zero_value=0,
                    codebook_delta_left=[0],
                    codebook_delta_right=[0, 0],
                ),
                unit(
                    [0, 1, 2],
                    "b",
                    -8,
                    codebook_size=3,
                    codebook_center_offset=-1,
                    codebook_zero_value=-1,
                    codebook_delta_right=[1, 0],
                ),
                unit(
                    [0, -1, -2, -3],
                    "c",
                    codebook_size=4,
                    codebook_center_offset=1,
                    codebook_zero_value=10,
                    codebook_delta_left=[1, 2, 3],
                ),
            ),
        ),
        {"a": [-1, 0, 1, 2], "b": [-0.25, 0.25, 0.5], "c": [10, 8, 5, 1]},
    ),
    "raw floats": Example(
        (
            model(
                {
                    "topology_elem_id": "r",
                    "nnr_compressed_data_unit_payload_type": "NNR_PT_RAW_FLOAT",
                    "tensor_dimensions": [2, 2],
                    "raw_float32_parameter": {"hex": "ae47e13d9a99993e0000803ecdcccc3d"},
                }
            ),
        ),
        {"r": np.array([[0.11, 0.30], [0.25, 0.10]], np.float32).tolist()},
    ),
    # Ids: weight, scaling, beta, gamma, mean, variance, bias. Payload: scaling, bias, beta, ..., weight.
    "block": Example(
        (
            model(
                {
                    "nnr_compressed_data_unit_payload_type": BLOCK,
                    "topology_elem_id_list": ["w", "w_scaling", "beta", "gamma", "mean", "var", "bias"],
                    "compressed_parameter_types": 14,
                    "tensor_dimensions": [2, 2],
                    "tensors": [
                        *({"levels": [2 * k + 1, 2 * k + 2]} for k in range(6)),
                        {"levels": [[1, 2], [3, 4]]},
                    ],
                }
            ),
        ),
        {
            "w": [[1, 2], [6, 8]],
            "bias": [3, 4],
            "beta": [5, 6],
            "gamma": [7, 8],
            "mean": [9, 10],
            "var": [11, 12],
        },
    ),
    # [[1, 2], [3, 4]] times [[1, 0, 2], [0, 1, -1]] is [[1, 2, 0], [3, 4, 2]], here in three rows of two.
    "decomposition": Example(
        (
            model(
                {
                    "nnr_compressed_data_unit_payload_type": BLOCK,
                    "topology_elem_id_list": ["w_G", "w_H"],
                    "compressed_parameter_types": 1,
                    "decomposition_rank": 2,
                    "g_number_of_rows": 2,
                    "tensor_dimensions": [3, 2],
                    "tensors": [{"levels": [[1, 2], [3, 4]]}, {"levels": [[1, 0, 2], [0, 1, -1]]}],
                }
            ),
        ),
        {"w": [[1, 2], [0, 3], [4, 2]]},
    ),
    # The last of three dimensions is coded first.
    "dimension shift": Example(
        (
            model(
                unit(
                    [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]],
                    tensor_dimensions=[2, 3, 2],
                    first_tensor_dimension_shift=2,
                )
            ),
        ),
        {"w": [[[0, 6], [1, 7], [2, 8]], [[3, 9], [4, 10], [5, 11]]]},
    ),
    # The last axis of the second piece goes to the front, past both others.
    "pieces": Example(
        (
            model(
                {
                    "topology_elem_id_list": ["v", "w"],
                    "split_index": [1],
                    "shift_index": [[], [2]],
                    "shift_value": [[], [2]],
                    "tensors": [{"levels": [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]}],
                }
            ),
        ),
        {"v": [[[1, 2, 3], [4, 5, 6]]], "w": [[[7, 10]], [[8, 11]], [[9, 12]]]},
    ),
    # Binary32 has even numbers only above 2^24; 2^24 + 1 and 2^24 + 3 are ties.
    "update": Example(
        (model(unit([16777216, 16777216, 2], parameter_id=1, device_id=0, put_node_depth=0)), update([1, 3, -5])),
        {"w": [16777216, 16777220, -3]},
    ),
    "layer parameter set": Example(
        (
            [
                *model(),
                {"NNR_LPS": quantization("lps", 1, 2)},
                {"NNR_NDU": unit([1], "a")},
                {"NNR_AGG": {"units": [{"NNR_LPS": quantization("lps", 0, 3)}, {"NNR_NDU": unit([1], "b")}]}},
                {"NNR_NDU": unit([1], "c")},
            ],
        ),
        {"a": [2], "b": [8], "c": [1]},
    ),
    "binary16": Example((model(unit([2049, 2051, 1], nnr_decompressed_data_format=8)),), {"w": [2048, 2052, 1]}),
    "subnormal step": Example(
        (model(unit([1, 3, -1], qp_value=-1), density=0, parameter=-149),), {"w": [0.0, 0.0, -0.0]}
    ),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_the_intent_is_what_the_facts_say(example: Example) -> None:
    assert example.is_what_is_meant()


def _rows_first(coding: Any) -> Any:
    return ((row, 0, coding.columns) for row in range(coding.rows))


def _places_as_listed(unit: Any, layout: Any) -> Any:
    shapes = [layout.shape, *[layout.shape[:1]] * (len(layout.names) - 1)]
    roles = [Role.WEIGHT, Role.SCALING, *[Role.OTHER] * (len(layout.names) - 2)]
    return [Place(*one) for one in zip(layout.names, roles, shapes, strict=True)]


FAULTS: dict[str, tuple[str, str, Any]] = {
    "ties go up": ("exact", "_to_even", lambda magnitude, dropped: (magnitude + (1 << dropped - 1)) >> dropped),
    "rounding cuts off": ("exact", "_to_even", lambda magnitude, dropped: magnitude >> dropped),
    "levels are not rounded before": (
        "transmitted",
        "uniform",
        lambda q, qp, d, *, rounded_once: uniform(q, qp, d, rounded_once=True),
    ),
    "levels are always rounded before": (
        "transmitted",
        "uniform",
        lambda q, qp, d, *, rounded_once: uniform(q, qp, d, rounded_once=False),
    ),
    "a state goes elsewhere": (
        "levels",
        "TRANSITIONS",
        ((0, 2), (5, 7), (1, 3), (6, 4), (2, 0), (5, 7), (3, 1), (4, 6)),
    ),
    "odd states double too": ("levels", "_doubled", lambda level, state: 2 * level),
    "odd states go away from zero": (
        "levels",
        "_doubled",
        lambda level, state: 2 * level + (level > 0) - (level < 0) if state & 1 else 2 * level,
    ),
    "the scan is always row by row": ("levels", "segments", _rows_first),
    "the step is a power of two": ("values", "step_size", lambda qp, density, form: 2.0 ** (qp / (1 << density))),
    "left entries in growing order": (
        "transmitted",
        "codebook",
        lambda size, offset, zero, left, right: codebook(size, offset, zero, left[::-1], right),
    ),
    "the first dimension goes to the end": (
        "transmitted",
        "moved_back",
        lambda array, layout: array if not layout.shift else np.moveaxis(array, layout.shift, 0),
    ),
    "axes are swapped": (
        "layout",
        "_with_axis_moved",
        lambda piece, index, count, readings: piece.swapaxes(index, index - count),
    ),
    "tensors are coded as listed": ("layout", "_block_places", _places_as_listed),
    "columns are scaled": ("composition", "scaled", lambda weight, scaling: weight * scaling),
    "rows are not scaled": ("composition", "scaled", lambda weight, scaling: weight),
    "the product is transposed": ("composition", "factors_product", lambda g, h, shape: (h.T @ g.T).reshape(shape)),
    "an update replaces": ("chain", "added", lambda parent, update: update),
    "an update is subtracted": ("chain", "added", lambda parent, update: parent - update),
    "a format is ignored": ("chain", "delivered", lambda values, unit, readings: values),
    "a layer parameter set never ends": ("situation", "_inside", lambda unit, aggregate: True),
    "a layer parameter set does nothing": ("situation", "_inside", lambda unit, aggregate: False),
}
"""Module and name of what is replaced, and by what."""


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_intent_is_noticed(fault: tuple[str, str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, replacement = fault
    found = import_module(f"nnr_conformance.suite.corpus.intent.{module}")
    assert hasattr(found, name)
    monkeypatch.setattr(found, name, replacement)
    assert not all(example.is_what_is_meant() for example in EXAMPLES.values())
