"""Sizes of units at the ends of the two forms, and models behind units of any size (clause 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnr_conformance.suite.corpus.recipes import Recipe

_SOURCE = __name__.replace(".", "/") + ".py"
_NODE = {"device_id": 0, "parameter_id": 1}
_PARENT = {"put_node_depth": 1, "parent_node_id_type": "ICNN_NDU_ID", "parent_device_id": 0}
_BYTES_AROUND = 7
"""Bytes of a topology unit with the short size field besides its data: size, unit header, two formats, a zero byte."""


def recipes() -> Iterator[Recipe]:
    """One recipe for the sizes, and one for what is found behind such units."""
    yield _recipe(
        "6-sizes-of-both-forms",
        "The largest unit of the short form, and the least one that needs the long form.",
        "A decoder that takes the short form for 14 bits, or finds fault with a long form that is needed.",
        [_carrying(32767, []), _carrying(32768, []), _carrying(32767, ["unit_size_long_form"])],
    )
    yield _recipe(
        "6-models-behind-long-units",
        "A model, and an update of it in the same stream, behind units whose sizes take more than a byte.",
        "A decoder that looks for a second model with sizes of fewer bits adds the update to nothing.",
        [_two_models(size) for size in (301, 513, 2051, 8205, 16391)] + [_two_models(2501, long_form=True)],
    )


def _recipe(name: str, purpose: str, bug: str, streams: Sequence[Mapping[str, Any]]) -> Recipe:
    content = {"purpose": purpose, "bug": bug, "requirements": ["R-UNIT-02", "R-UNIT-06"], "streams": list(streams)}
    return Recipe("extremes", name, content, _SOURCE)


def _topology(size: int, **keys: Any) -> dict[str, Any]:
    """A topology unit that would have so many bytes in the short form."""
    return {"NNR_TPL": {"topology_data": "x" * (size - _BYTES_AROUND + 1) + "\0", **keys}}


def _carrying(size: int, diagnostics: Sequence[str]) -> dict[str, Any]:
    return {
        "purpose": f"A unit that has {size} bytes in the short form{', in the long one' if diagnostics else ''}.",
        "diagnostics": list(diagnostics),
        "units": [
            {"NNR_STR": {}},
            {"NNR_MPS": {"topology_carriage_flag": 1}},
            _topology(size, long_form=True) if diagnostics else _topology(size),
            {"NNR_NDU": {"topology_elem_id": "w", "float32": [1.5]}},
        ],
    }


def _two_models(size: int, long_form: bool = False) -> dict[str, Any]:
    named = {"topology_elem_id": "w", **_NODE}
    form = {"long_form": True} if long_form else {}
    return {
        "purpose": f"Behind a unit of {size + 2 * long_form} bytes{', in the long form' if long_form else ''}.",
        "diagnostics": ["start_unit_repeated", *(["unit_size_long_form"] if long_form else [])],
        "units": [
            {"NNR_STR": {}},
            {"NNR_MPS": {"topology_carriage_flag": 1}},
            _topology(size, **form),
            {"NNR_NDU": {**named, "float32": [1.5, -2.0]}},
            {"NNR_STR": {}},
            {"NNR_MPS": {"mps_parent_signalling_enabled_flag": 1}},
            {"NNR_NDU": {**named, **_PARENT, "float32": [0.5, 4.0]}},
        ],
    }
