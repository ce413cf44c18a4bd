"""The benchmark of frameworks on a small model of its own, where onnxruntime is installed."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks.framework_cases import Case
from benchmarks.framework_picture import Mark, picture
from benchmarks.frameworks import POINTS, measured, rows
from nnr_conformance.errors import UsageError
from tests.frameworks.onnx_models import small_network

INPUTS = np.random.default_rng(0).standard_normal((8, 1, 3, 8, 8)).astype(np.float32)
CASE = Case(
    "small",
    small_network(),
    lambda session: np.stack([session.run(None, {"x": one})[0][0] for one in INPUTS]),
    lambda found: found.argmax(axis=1),
    np.zeros(8, np.int64),
)


needs_runtime = pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs onnxruntime")


@needs_runtime
def test_every_working_point_has_a_row_and_raw_numbers_change_nothing() -> None:
    found = list(measured(CASE))
    assert [one.point for one in found] == list(POINTS)
    assert found[0].difference == 0
    assert found[0].same == 1
    plain = [one for one in found if "blocks" not in one.point]
    assert [one.bytes_after for one in plain] == sorted((one.bytes_after for one in plain), reverse=True)
    assert plain[-1].difference > plain[1].difference > 0
    assert all(len(rows(one)) == 7 for one in found)
    assert rows(found[0])[6].endswith(f"({found[0].right_before:.1%})")


@needs_runtime
def test_a_model_that_does_not_come_back_is_told() -> None:
    calls = []

    def unsteady(session: object) -> np.ndarray:
        calls.append(session)
        return np.full((1, 2), len(calls), np.float32)

    with pytest.raises(UsageError, match="raw numbers"):
        list(measured(replace(CASE, run=unsteady)))


def test_a_picture_has_a_panel_for_each_model_and_a_mark_for_each_point() -> None:
    marks = [
        Mark(case, point, size, same)
        for case in ("a<b", "c")
        for point, size, same in (("--raw", 99.0, 100.0), ("--dq", 20.0, 97.5), ("--blocks --dq", 18.0, 99.0))
    ]
    found = ElementTree.fromstring(picture(marks))
    svg = "{http://www.w3.org/2000/svg}"
    assert [one.text for one in found.iter(f"{svg}text") if one.get("class") == "title"] == ["a<b", "c"]
    assert len(list(found.iter(f"{svg}circle"))) == len(marks)
    assert len(list(found.iter(f"{svg}polyline"))) == 4
