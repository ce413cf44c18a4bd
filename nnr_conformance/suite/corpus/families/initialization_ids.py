"""Every initialization id in every kind of context (clause 10), in an update whose contexts look at its parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnr_conformance.readings import DEFAULT_READINGS
from nnr_conformance.suite.corpus.intent.levels import Coding, flat, quantized_parameters
from nnr_conformance.suite.corpus.recipes import Recipe

Levels = list[list[int]]

_IDS = 9
_UNARY = 10
_ROWS, _COLUMNS = 20, 12
_LONGEST = 18
"""The longest prefix of a level that binary32 holds exactly, doubled and added to another one."""
_CONTEXTS = {"sig": 24, "sig base": 16, "sig history": 8, "sign": 3, "sign base": 2, "greater": 20, "greater base": 20}
_PREFIXES = 31


def recipes() -> Iterator[Recipe]:
    """One recipe with contexts that look at the parent, one with contexts that look at all updates before."""
    source = __name__.replace(".", "/") + ".py"
    yield Recipe("core", "10-initialization-ids-and-parents", _with_parents(), source)
    yield Recipe("core", "10-initialization-ids-and-history", _with_history(), source)


def scattered(seed: int, count: int, bound: int) -> list[int]:
    """Numbers from 0 to bound - 1 without a pattern, the same on every machine."""
    found, number = [], seed
    for _ in range(count):
        number = (number * 1103515245 + 12345) % (1 << 31)
        found.append((number >> 12) % bound)
    return found


def _with_parents() -> Mapping[str, Any]:
    parent, update = _base_levels(3), _update_levels(5)
    base = _doubled(parent)
    streams = [
        {"purpose": "The network that is updated.", "units": _units(0, {"levels": parent})},
        *(
            {
                "behind": 1,
                "units": _units(1, {"levels": update, "base": base, "init_ids": _ids(first, history=False)}),
            }
            for first in range(_IDS)
        ),
        {
            "purpose": "Ids of history contexts without an update before: none of these contexts is used.",
            "behind": 1,
            "units": _units(
                1,
                {
                    "levels": update,
                    "base": base,
                    "history": [[0] * _COLUMNS] * _ROWS,
                    "init_ids": _ids(4, history=True),
                },
            ),
        },
    ]
    return {
        "purpose": "Contexts that look at the parent take each of the nine initialization ids.",
        "bug": "A decoder with a wrong number in a parameter set, or with two kinds of contexts in other order.",
        "requirements": ["R-AC-02", "R-ED2-16"],
        "streams": streams,
    }


def _with_history() -> Mapping[str, Any]:
    first, second, third = _base_levels(3), _base_levels(7), _update_levels(11)
    middle = _doubled(second)
    history = [[int(parameter != 0) for parameter in row] for row in middle]
    streams = [
        {"purpose": "The network that is updated.", "units": _units(0, {"levels": first})},
        {
            "purpose": "An update, so that the next one has a history.",
            "behind": 1,
            "units": _units(1, {"levels": second}),
        },
        *(
            {
                "behind": 2,
                "units": _units(
                    2,
                    {"levels": third, "base": middle, "history": history, "init_ids": _ids(number, history=True)},
                ),
            }
            for number in range(_IDS)
        ),
    ]
    return {
        "purpose": "Contexts that look at the updates before take each of the nine initialization ids.",
        "bug": "A decoder that takes the context of the parent where an earlier update was not zero.",
        "requirements": ["R-AC-02", "R-ED2-20"],
        "streams": streams,
    }


def _units(depth: int, tensor: dict[str, Any]) -> list[dict[str, Any]]:
    unit: dict[str, Any] = {
        "topology_elem_id": "w",
        "device_id": 0,
        "parameter_id": 5,
        "put_node_depth": depth,
        "dq_flag": 1,
        "tensors": [tensor],
    }
    parameters = {"mps_qp_density": 2}
    if depth:
        parameters["mps_parent_signalling_enabled_flag"] = 1
        unit |= {"parent_node_id_type": "ICNN_NDU_ID", "parent_device_id": 0}
    if "base" in tensor:
        unit["temporal_context_modeling_flag"] = 1
    return [{"NNR_STR": {}}, {"NNR_MPS": parameters}, {"NNR_NDU": unit}]


def _ids(first: int, *, history: bool) -> dict[str, int]:
    """Ids that count up from context to context, so that each group has all of them if it has nine contexts."""
    groups = {name: count for name, count in _CONTEXTS.items() if history or name != "sig history"}
    names = [f"{name} {number}" for name, count in groups.items() for number in range(count)]
    names += [f"prefix {number}" for number in range(_PREFIXES)]
    return {name: (first + number) % _IDS for number, name in enumerate(names)}


def _base_levels(seed: int) -> Levels:
    """Zeros, and magnitudes around the numbers of the greater-than flags that look at them."""
    magnitudes = [max(0, number - 6) for number in scattered(seed, _ROWS * _COLUMNS, 13)]
    return _signed(magnitudes, seed + 1)


def _update_levels(seed: int) -> Levels:
    """Each prefix length once, else zeros and magnitudes that end in each of the greater-than flags."""
    magnitudes = [max(0, number - 10) for number in scattered(seed, _ROWS * _COLUMNS, 24)]
    long = [_UNARY + (1 << ones) for ones in range(_LONGEST + 1)]
    for place, magnitude in zip(range(3, len(magnitudes), 7), long, strict=False):
        magnitudes[place] = magnitude
    return _signed(magnitudes, seed + 1)


def _signed(magnitudes: list[int], seed: int) -> Levels:
    signs = scattered(seed, len(magnitudes), 2)
    flat_levels = [magnitude * (1 - 2 * sign) for magnitude, sign in zip(magnitudes, signs, strict=True)]
    return [flat_levels[first : first + _COLUMNS] for first in range(0, len(flat_levels), _COLUMNS)]


def _doubled(levels: Levels) -> Levels:
    """The quantized parameters of the levels."""
    coding = Coding(len(levels), _COLUMNS, 1, True, 0, 0, DEFAULT_READINGS)
    found = flat(quantized_parameters({"levels": levels}, coding))
    return [found[first : first + _COLUMNS] for first in range(0, len(found), _COLUMNS)]
