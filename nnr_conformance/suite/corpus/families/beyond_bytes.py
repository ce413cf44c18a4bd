"""Levels, dimensions and counts that 8 or 16 bits do not hold, and every length of a remainder's prefix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnr_conformance.suite.corpus.recipes import Recipe

_SOURCE = __name__.replace(".", "/") + ".py"
_HEAD = [{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}]
_INT = {"nnr_compressed_data_unit_payload_type": "NNR_PT_INT"}
_LONGEST_PREFIX = 30
_LARGE = [*[0] * 8188, 5]
"""Numbers that make a unit of 32767 bytes with a name of two letters."""


def recipes() -> Iterator[Recipe]:
    """The recipes, each of a few streams."""
    yield _recipe(
        "10-prefix-lengths",
        "Remainders at both ends of each prefix length, from no bin to thirty, and the levels at both ends of 32 bits.",
        "A decoder whose suffix is a bit too short, or whose magnitudes overflow before the sign is known.",
        ["R-AC-03", "R-EC-09"],
        [_prefix_lengths(1), _prefix_lengths(10), _prefix_lengths(256)],
    )
    yield _recipe(
        "10-rows-beyond-a-byte",
        "Tensors of more than 256 rows, columns and block rows, nearly all of which are 0 or skipped.",
        "A decoder that counts rows, columns or entry points in 8 bits.",
        ["R-ED2-22", "R-NDU-27", "R-EP-01"],
        [
            _skipped_rows(300, 2),
            _sparse([2, 300], (0, 255, 256, 257, 599)),
            _block_rows(1, 2060, 2),
            _block_rows(4, 65, 65),
        ],
    )
    yield _recipe(
        "10-dimensions-beyond-16-bits",
        "Tensors whose rows and elements are more than 65536.",
        "A decoder that counts weights or rows in 16 bits, or has 16 bits for a dimension.",
        ["R-NDU-11", "R-ED2-22"],
        [_sparse([65_540], (0, 65_535, 65_536, 65_539)), _skipped_rows(65_540, 2)],
    )
    yield _recipe(
        "6-parts-up-to-255",
        "A payload in 255 parts, as many as the counter can say.",
        "A decoder with a signed counter of 8 bits, or one that bounds the parts at 127.",
        ["R-UNIT-13", "R-UNIT-19"],
        [{"units": [*_HEAD[:1], {"NNR_MPS": {}}, _raw("w", range(64), parts=[1] * 254)]}],
    )
    yield _recipe(
        "6-units-of-15-bits",
        "A unit of 32767 bytes, the largest with a short size, and one of 32770, the smallest that needs a long one.",
        "A decoder that takes the size of 15 bits as signed, or leaves the size field out of it.",
        ["R-UNIT-01", "R-UNIT-02"],
        [{"units": [*_HEAD[:1], {"NNR_MPS": {}}, _raw("ww", _LARGE), _raw("www", _LARGE)]}],
    )
    yield _recipe(
        "6-units-beyond-a-byte",
        "More than 256 tiny units, one behind the other and inside of an aggregate unit.",
        "A decoder that counts units in 8 bits.",
        ["R-AGG-01", "R-AGG-06", "R-ORD-05"],
        [
            {"units": [*_HEAD[:1], {"NNR_MPS": {}}, *_tiny(260)]},
            {"units": [*_HEAD[:1], {"NNR_MPS": {}}, {"NNR_AGG": {"units": _tiny(260)}}]},
        ],
    )
    yield _recipe(
        "6-ids-beyond-a-byte",
        "More than 256 ids: in a reference list of which the last ones are used, and of one tensor.",
        "A decoder that counts ids in 8 bits, or gives up a code of more than one group of bits.",
        ["R-REF-03", "R-REF-04", "R-DIM-02"],
        [_reference_list(300), _mapping(260)],
    )


def _recipe(
    name: str, purpose: str, bug: str, requirements: Sequence[str], streams: Sequence[Mapping[str, Any]]
) -> Recipe:
    content = {"purpose": purpose, "bug": bug, "requirements": requirements, "streams": streams}
    return Recipe("extremes", name, content, _SOURCE)


def _stream(purpose: str, unit: Mapping[str, Any], diagnostics: Sequence[str] = ()) -> dict[str, Any]:
    units = [*_HEAD, {"NNR_NDU": {"topology_elem_id": "w", **unit}}]
    return {"purpose": purpose, "diagnostics": list(diagnostics), "units": units}


def _prefix_lengths(unary: int) -> dict[str, Any]:
    """Levels of 32 bits whose remainder is the first or the last of its prefix length, of both signs."""
    ends = [unary + (1 << ones) + last for ones in range(_LONGEST_PREFIX + 1) for last in (0, (1 << ones) - 1)]
    ends = [end for end in [unary - 1, unary, *ends] if end < 1 << 31]
    levels = [end if number & 1 else -end for number, end in enumerate(ends)]
    levels += [-level for level in reversed(levels)] + [(1 << 31) - 1, -(1 << 31)]
    purpose = f"Both ends of each prefix length behind {unary} greater-than flags."
    return _stream(purpose, {**_INT, "cabac_unary_length_minus1": unary - 1, "tensors": [{"levels": levels}]})


def _skipped_rows(rows: int, columns: int) -> dict[str, Any]:
    kept = {0, 255, 256, rows - 1}
    levels = [[1 + (row & 7), *[-1] * (columns - 1)] if row in kept else [0] * columns for row in range(rows)]
    skip = [int(row not in kept) for row in range(rows)]
    purpose = f"{rows} rows of which {len(kept)} are not skipped."
    return _stream(purpose, {"tensors": [{"levels": levels, "row_skip": skip}]})


def _sparse(dims: list[int], at: Sequence[int]) -> dict[str, Any]:
    elements = dims[0] * (dims[1] if len(dims) > 1 else 1)
    flat = [0] * elements
    for number, position in enumerate(at, 1):
        flat[position] = number
    levels: list[Any] = flat
    if len(dims) > 1:
        levels = [flat[first : first + dims[1]] for first in range(0, elements, dims[1])]
    return _stream(f"A tensor of {' by '.join(map(str, dims))} with a few weights.", {"tensors": [{"levels": levels}]})


def _block_rows(scan_order: int, rows: int, columns: int) -> dict[str, Any]:
    """A mark at the corners of the blocks, and the entry points of all block rows."""
    size = 4 << scan_order
    inner = (0, size - 1)
    levels = [
        [1 + (row + column) % 3 if row % size in inner and column % size in inner else 0 for column in range(columns)]
        for row in range(rows)
    ]
    purpose = f"{-(-rows // size)} block rows in blocks of {size}."
    return _stream(purpose, {"scan_order": scan_order, "dq_flag": 1, "tensors": [{"levels": levels}]})


def _raw(name: str, numbers: Sequence[int], **elements: Any) -> dict[str, Any]:
    return {"NNR_NDU": {"topology_elem_id": name, "float32": [number / 4 for number in numbers], **elements}}


def _tiny(count: int) -> list[dict[str, Any]]:
    return [_raw(f"{number:x}", [number]) for number in range(count)]


def _reference_list(count: int) -> dict[str, Any]:
    used = (0, 127, 128, 255, 256, count - 1)
    units: list[dict[str, Any]] = [
        {"NNR_STR": {}},
        {"NNR_MPS": {"topology_carriage_flag": 1, "mps_topology_indexed_reference_flag": 1}},
        {
            "NNR_TPL": {
                "topology_storage_format": "NNR_TPL_REFLIST",
                "topology_elem_id_list": [f"t{number}" for number in range(count)],
            }
        },
    ]
    units += [{"NNR_NDU": {"topology_elem_id_index": index, "float32": [index / 4]}} for index in used]
    return {"purpose": f"Indices up to {count - 1} into a reference list.", "units": units}


def _mapping(count: int) -> dict[str, Any]:
    levels = [number % 5 - 2 for number in range(count)]
    unit = {
        "topology_elem_id_list": [f"t{number}" for number in range(count)],
        "split_index": list(range(1, count)),
        "tensors": [{"levels": levels}],
    }
    return {"purpose": f"A tensor of {count} elements, each a tensor of its own.", "units": [*_HEAD, {"NNR_NDU": unit}]}
