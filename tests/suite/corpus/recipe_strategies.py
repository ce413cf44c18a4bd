"""Recipes of small streams of all tools, for properties: what is drawn keeps the requirements of the syntax."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from nnr_conformance.suite.corpus.recipes import CorpusStream

Elements = dict[str, Any]
Recipe = dict[str, Elements]
MOST_ELEMENTS = 90
BLOCK, DEFAULT_UNARY = "NNR_PT_BLOCK", 10


def stream_of(
    units: Sequence[Recipe], behind: Sequence[CorpusStream] = (), check: dict[str, Any] | None = None
) -> CorpusStream:
    """A golden stream of these units."""
    return CorpusStream("drawn", "core", "", "", "", (), units, behind=tuple(behind), check=check or {})


def nested(flat: Sequence[Any], shape: Sequence[int]) -> Any:
    """Numbers as nested lists of these dimensions."""
    if len(shape) <= 1:
        return list(flat)
    step = math.prod(shape[1:])
    return [nested(flat[first : first + step], shape[1:]) for first in range(0, shape[0] * step, step)]


shapes = st.lists(st.integers(1, 9), min_size=1, max_size=4).filter(lambda one: math.prod(one) <= MOST_ELEMENTS)
matrices = shapes.filter(lambda one: len(one) > 1)
small = st.integers(-3, 3)
large = st.integers(-(1 << 30) + 1, (1 << 30) - 1)
numbers = st.floats(width=32) | st.sampled_from([0.0, -0.0, math.inf, -math.inf, 1e-45, -3e38]) | st.integers(-4, 4)


def levels(shape: Sequence[int], lowest: int | None = None, highest: int | None = None) -> st.SearchStrategy[Any]:
    """Nested levels, most of them small, inside of bounds if there are any."""
    one = st.integers(lowest, highest) if lowest is not None else st.one_of(small, small, small, large)
    count = math.prod(shape)
    return st.lists(one, min_size=count, max_size=count).map(lambda flat: nested(flat, shape))


@st.composite
def codebooks(draw: st.DrawFn) -> tuple[Elements, int, int]:
    """The elements of a codebook, and the least and the largest level."""
    size = draw(st.integers(1, 6))
    zero = draw(st.integers(0, size - 1))
    differences = st.integers(0, 9)
    left = draw(st.lists(differences, min_size=zero, max_size=zero))
    right = draw(st.lists(differences, min_size=size - 1 - zero, max_size=size - 1 - zero))
    elements: Elements = {
        "codebook_egk": draw(st.integers(0, 3)),
        "codebook_size": size,
        "codebook_center_offset": zero - (size >> 1),
        "codebook_zero_value": draw(st.integers(-20, 20)),
    }
    elements |= {f"codebook_delta_{side}": found for side, found in (("left", left), ("right", right)) if found}
    return elements, -zero, size - 1 - zero


@st.composite
def tensors(
    draw: st.DrawFn, shape: Sequence[int], profile: int, density: int | None, book: tuple[Elements, int, int] | None
) -> Elements:
    """What is coded of one tensor. `density`: None for integers."""
    found: Elements = {"levels": draw(levels(shape, *book[1:]) if book else levels(shape))}
    if density is not None:
        reach = 1 << 5 + density
        found["qp_value"] = draw(st.integers(-reach, reach - 1))
    several = len(shape) > 1 and shape[0] > 1 and math.prod(shape[1:]) > 1
    if profile == 1 and several and (book is None or book[1] != book[2]) and draw(st.booleans()):
        found["row_skip"] = draw(st.lists(st.integers(0, 1), min_size=shape[0], max_size=shape[0]))
    return found


def common(draw: st.DrawFn, shape: Sequence[int], *, dq: bool = True) -> Elements:
    """Elements that all entropy-coded units can have."""
    found: Elements = {}
    if dq and draw(st.booleans()):
        found["dq_flag"] = 1
    if len(shape) > 1:
        found["scan_order"] = draw(st.integers(0, 2))
    unary = draw(st.sampled_from([DEFAULT_UNARY, 1, 3]))
    if unary != DEFAULT_UNARY:
        found["cabac_unary_length_minus1"] = unary - 1
    return found


@st.composite
def integer_units(draw: st.DrawFn, name: str, profile: int) -> list[Recipe]:
    """NNR_PT_INT."""
    shape = draw(shapes)
    found = {"nnr_compressed_data_unit_payload_type": "NNR_PT_INT", "topology_elem_id": name, **common(draw, shape)}
    if draw(st.booleans()):
        found["nnr_decompressed_data_format"] = draw(st.sampled_from([0, 7]))
    return [{"NNR_NDU": found | {"tensors": [draw(tensors(shape, profile, None, None))]}}]


@st.composite
def float_units(draw: st.DrawFn, name: str, profile: int, density: int) -> list[Recipe]:
    """NNR_PT_FLOAT, with or without codebook, in any format."""
    shape = draw(shapes)
    book = draw(st.none() | codebooks())
    found: Elements = {"topology_elem_id": name, **common(draw, shape, dq=book is None), **(book[0] if book else {})}
    if draw(st.booleans()):
        found["nnr_decompressed_data_format"] = draw(st.sampled_from([1, 8, 9]))
    return [{"NNR_NDU": found | {"tensors": [draw(tensors(shape, profile, density, book))]}}]


@st.composite
def raw_units(draw: st.DrawFn, name: str) -> list[Recipe]:
    """NNR_PT_RAW_FLOAT."""
    shape = draw(shapes)
    count = math.prod(shape)
    found: Elements = {
        "topology_elem_id": name,
        "float32": nested(draw(st.lists(numbers, min_size=count, max_size=count)), shape),
    }
    if draw(st.booleans()):
        found["nnr_decompressed_data_format"] = draw(st.sampled_from([1, 8, 9]))
    if draw(st.booleans()):
        found["parts"] = draw(st.lists(st.integers(0, 2), max_size=2))
    return [{"NNR_NDU": found}]


@st.composite
def axis_units(draw: st.DrawFn, name: str, profile: int, density: int) -> list[Recipe]:
    """A tensor with a dimension moved to the front, or cut into pieces, or both."""
    coded = draw(matrices)
    shift = draw(st.integers(0, len(coded) - 1)) if profile == 1 else 0
    dimensions = coded[1 : shift + 1] + coded[:1] + coded[shift + 1 :]
    found: Elements = {"tensor_dimensions": dimensions, **common(draw, coded)}
    if profile == 1:
        found["first_tensor_dimension_shift"] = shift
    axis = draw(st.integers(0, len(coded) - 1))
    if dimensions[axis] > 1 and draw(st.booleans()):
        cuts = sorted(draw(st.sets(st.integers(1, dimensions[axis] - 1), min_size=1, max_size=2)))
        moves = [draw(_moves(len(coded))) for _ in range(len(cuts) + 1)]
        found |= {
            "topology_elem_id_list": [f"{name}.{number}" for number in range(len(cuts) + 1)],
            "concatenation_axis_index": axis,
            "split_index": cuts,
        }
        if any(moves):
            found["shift_index"] = [[index for index, _ in one] for one in moves]
            found["shift_value"] = [[count for _, count in one] for one in moves]
    else:
        found["topology_elem_id"] = name
    return [{"NNR_NDU": found | {"tensors": [draw(tensors(coded, profile, density, None))]}}]


@st.composite
def _moves(draw: st.DrawFn, dimensions: int) -> list[tuple[int, int]]:
    indices = draw(st.lists(st.integers(1, dimensions - 1), max_size=2))
    return [(index, draw(st.integers(1, index))) for index in indices]


@st.composite
def decompositions(draw: st.DrawFn, shape: Sequence[int], *, scaled: bool) -> Elements:
    """Rank and rows of factors of a weight."""
    count = math.prod(shape)
    rows = shape[0] if scaled else draw(st.sampled_from([one for one in range(1, count + 1) if count % one == 0]))
    return {"decomposition_rank": draw(st.integers(1, 3)), "g_number_of_rows": rows}


def factor_shapes(elements: Elements, shape: Sequence[int]) -> list[list[int]]:
    """The dimensions of G and H."""
    rank, rows = elements["decomposition_rank"], elements["g_number_of_rows"]
    return [[rows, rank], [rank, math.prod(shape) // rows]]


@st.composite
def block_units(draw: st.DrawFn, name: str, profile: int, density: int) -> list[Recipe]:
    """NNR_PT_BLOCK of any kinds of tensors."""
    shape = draw(matrices)
    types = draw(st.integers(1, 15))
    found: Elements = {"compressed_parameter_types": types, "tensor_dimensions": shape}
    weights, ids = [shape], [name]
    if types & 1:
        found |= draw(decompositions(shape, scaled=bool(types & 2)))
        weights, ids = factor_shapes(found, shape), [f"{name}_G", f"{name}_H"]
    books: list[Any] = [draw(codebooks()) for _ in weights] if draw(st.booleans()) else [None] * len(weights)
    if books[0]:
        found |= books[0][0]
        if len(books) > 1:
            found["codebook_dc"] = books[1][0]
    vectors = bool(types & 2) + bool(types & 8) + 4 * bool(types & 4)
    ids += [f"{name}_scaling"] * bool(types & 2) + [f"{name}.bn{one}" for one in range(4 * bool(types & 4))]
    found["topology_elem_id_list"] = ids + [f"{name}.bias"] * bool(types & 8)
    found |= common(draw, shape, dq=not books[0])
    coded = [draw(tensors(shape[:1], profile, density, None)) for _ in range(vectors)]
    coded += [draw(tensors(one, profile, density, book)) for one, book in zip(weights, books, strict=True)]
    return [{"NNR_NDU": found | {"nnr_compressed_data_unit_payload_type": BLOCK, "tensors": coded}}]


@st.composite
def separate_units(draw: st.DrawFn, name: str, profile: int, density: int) -> list[Recipe]:
    """Tensors of a layer in units of their own: scaling, then the weight or G and H."""
    shape = draw(matrices)
    scaled = draw(st.booleans())
    factors = draw(st.booleans()) or not scaled
    types = 2 * scaled + factors
    layer: Elements = {"compressed_parameter_types": types, "tensor_dimensions": shape}
    if factors:
        layer |= draw(decompositions(shape, scaled=scaled))
    found: list[Elements] = []
    if scaled:
        vector = {**layer, "tensor_dimensions": shape[:1], "topology_elem_id": f"{name}_scaling"}
        if factors:
            vector |= {"decomposition_rank": 1, "g_number_of_rows": 1}
        found.append({**vector, "tensors": [draw(tensors(shape[:1], profile, density, None))]})
    weights = factor_shapes(layer, shape) if factors else [shape]
    for suffix, one in zip(("_G", "_H") if factors else ("",), weights, strict=True):
        own = {**layer, **common(draw, one), "topology_elem_id": f"{name}{suffix}"}
        found.append({**own, "tensors": [draw(tensors(one, profile, density, None))]})
    return [{"NNR_NDU": one} for one in found]


def any_units(name: str, profile: int, density: int) -> st.SearchStrategy[list[Recipe]]:
    """The units of one parameter or layer."""
    return st.one_of(
        integer_units(name, profile),
        float_units(name, profile, density),
        raw_units(name),
        axis_units(name, profile, density),
        block_units(name, profile, density),
        separate_units(name, profile, density),
    )


@st.composite
def models(draw: st.DrawFn) -> CorpusStream:
    """A stream of up to three parameters or layers, under layer parameter sets and in aggregate units."""
    profile, density = draw(st.integers(0, 1)), draw(st.integers(0, 7))
    units: list[Recipe] = []
    in_force = density
    for name in draw(st.sampled_from([["a"], ["a", "b"], ["a", "b", "c"]])):
        if draw(st.booleans()):
            in_force = draw(st.integers(0, 7))
            units.append({"NNR_LPS": quantization("lps", in_force, draw(parameters(in_force)))})
        units += draw(any_units(name, profile, in_force))
    head = [
        {"NNR_STR": {"general_profile_idc": profile}},
        {"NNR_MPS": quantization("mps", density, draw(parameters(density)))},
    ]
    if len(units) > 1 and draw(st.booleans()):
        units = [{"NNR_AGG": {"units": units}}]
    return stream_of([*head, *units])


def quantization(prefix: str, density: int, parameter: int) -> Elements:
    """The elements of a parameter set that say how to quantize."""
    return {
        f"{prefix}_quantization_method_flags": 3,
        f"{prefix}_qp_density": density,
        f"{prefix}_quantization_parameter": parameter,
    }


def parameters(density: int) -> st.SearchStrategy[int]:
    """Quantization parameters: most give steps near 1, some end outside of binary32."""
    near = st.integers(-8 << density, 2 << density).filter(lambda one: -4096 <= one <= 4095)
    return st.one_of(near, near, near, st.integers(-4096, 4095))


CHOICES: dict[str, tuple[str, Elements]] = {
    "level-rounding": ("once", {}),
    "axis-shift": ("rotate", {}),
    "row-skip-state": ("per-position", {"state_per_segment": False}),
    "skipped-row-neighbour": ("zero", {"skip_resets_neighbour": True}),
}
"""Readings that are not the default, with what a recipe says of a tensor that is coded by them."""


@st.composite
def models_under_readings(draw: st.DrawFn) -> CorpusStream:
    """A model that is built and read by other readings."""
    stream = draw(models())
    chosen = draw(st.sets(st.sampled_from(sorted(CHOICES)), min_size=1))
    said: Elements = {}
    for reading in chosen:
        said |= CHOICES[reading][1]
    readings = {reading: CHOICES[reading][0] for reading in chosen}
    return replace(stream, units=_with_said(stream.units, said), check={"readings": readings})


def _with_said(units: Sequence[Any], said: Elements) -> list[Recipe]:
    found = []
    for unit in units:
        ((kind, elements),) = unit.items()
        if "units" in elements:
            elements = elements | {"units": _with_said(elements["units"], said)}
        elif "tensors" in elements:
            elements = elements | {"tensors": [tensor | said for tensor in elements["tensors"]]}
        found.append({kind: elements})
    return found
