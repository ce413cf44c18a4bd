"""A base tensor that comes again is a new root: nothing of the updates before it counts any more."""

from __future__ import annotations

from typing import Any

import nnr_conformance
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.report.model import Verdict

MODEL: list[dict[str, Any]] = [
    {"NNR_STR": {}},
    {"NNR_MPS": {"mps_qp_density": 2, "mps_parent_signalling_enabled_flag": 1}},
]


def unit(levels: list[list[int]], depth: int, history: list[list[int]] | None = None) -> dict[str, Any]:
    node = {"device_id": 0, "parameter_id": 5, "put_node_depth": depth}
    parent = {"parent_node_id_type": 0, "parent_device_id": 0} if depth else {}
    tensor: dict[str, Any] = {"levels": levels} | ({} if history is None else {"history": history})
    return {"NNR_NDU": {"topology_elem_id": "w", **node, **parent, "tensors": [tensor]}}


def test_a_new_root_of_another_shape_has_no_history() -> None:
    wide, tall = [[1, 0, 2], [0, -1, 0]], [[1, 0], [2, 0], [0, -1]]
    empty = [[0, 0], [0, 0], [0, 0]]
    units = [unit(wide, 0), unit(wide, 1), unit(tall, 0), unit(tall, 1, history=empty)]
    streams = [build_recipe([*MODEL, one]).data for one in units]
    report = nnr_conformance.check(streams)
    assert report.verdict is Verdict.CONFORMING, [str(found) for found in report.diagnostics]


def test_history_goes_on_from_update_to_update() -> None:
    first, second = [[1, 0], [0, 0]], [[0, 3], [0, 0]]
    units = [unit(first, 0), unit(first, 1), unit(second, 2, history=[[1, 0], [0, 0]])]
    streams = [build_recipe([*MODEL, one]).data for one in units]
    assert nnr_conformance.check(streams).verdict is Verdict.CONFORMING
    assert nnr_conformance.decode(streams, transmitted=True).levels["w"].tolist() == second
