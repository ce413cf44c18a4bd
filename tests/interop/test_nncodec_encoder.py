"""NNCodec's encoder through parts of the battery: what the suite finds with no knowledge of it, and what is behind."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nncodec.nnc_core", reason="NNCodec is not installed, see the README")

from nnr_conformance.suite.certify.certificate import body_of
from nnr_conformance.suite.certify.going_through import Plan, examinations
from nnr_conformance.suite.certify.working_points import WorkingPoint, read_working_points
from nnr_conformance.suite.runner.declaration import from_adapter, from_content
from nnr_conformance.suite.runner.implementation import Implementation

pytestmark = pytest.mark.interop

ROOT = Path(__file__).parents[2]
EXAMPLE, PAGES = ROOT / "examples/nncodec", ROOT / "docs/implementations"
POINTS = {point.name: point for point in read_working_points(EXAMPLE / "working-points.yaml")}


@dataclass(frozen=True, slots=True)
class Found:
    """A report and its rows by input and working point."""

    body: Mapping[str, Any]
    rows: Mapping[tuple[str, str], Mapping[str, Any]]

    def kinds(self, name: str, point: str) -> set[str]:
        return {problem["kind"] for problem in self.rows[name, point]["problems"]}


def run(implementation: Implementation, points: tuple[WorkingPoint, ...], *only: str) -> Found:
    plan = Plan(implementation, points, 900, only)
    body = body_of(plan, examinations(plan))
    return Found(body, {(row["input"], row["point"]): row for row in body["results"]})


def named(*names: str) -> tuple[WorkingPoint, ...]:
    return tuple(POINTS[name] for name in names)


@pytest.fixture(scope="module")
def found() -> Found:
    """By the adapter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLE))
        return run(
            from_adapter("nncodec_adapter:NNCodec"),
            named("uniform", "trellis-rows-blocks", "codebook-always", "finest", "raw"),
            *("shapes/0d", "shapes/2d", "shapes/width-1", "shapes/empty", "values/small", "values/huge", "values/nan"),
            *("values/float64", "kinds/int64", "names/nul", "chains/zero", "chains/equal"),
        )


def test_what_is_in_range_is_encoded_as_claimed(found: Found) -> None:
    for point in ("uniform", "trellis-rows-blocks", "codebook-always"):
        assert found.rows["shapes/2d", point]["outcome"] == "encoded"
        assert found.rows["values/small", point]["outcome"] == "encoded"


def test_the_parameter_that_wraps_is_found_by_the_step(found: Found) -> None:
    assert "step" in found.kinds("values/small", "finest")
    assert "step" in found.kinds("shapes/2d", "finest")
    assert (
        "the step is 3.7581e+09, claimed is 2.03727e-10" in found.rows["values/small", "finest"]["problems"][0]["text"]
    )


def test_it_wraps_for_large_values_though_it_was_asked_for_one_in_range(found: Found) -> None:
    assert found.kinds("values/huge", "uniform") == {"error"}


def test_dropped_tensors_of_an_update_are_told_and_are_no_problem(found: Found) -> None:
    row = found.rows["chains/zero", "uniform"]
    assert row["outcome"] == "encoded"
    assert [one["kind"] for one in row["observations"]] == ["not-sent"]


def test_an_update_that_is_lost_is_a_problem_and_not_only_dropped(found: Found) -> None:
    assert found.kinds("chains/equal", "uniform") == set()
    assert "error" in found.kinds("chains/equal", "codebook-always")


def test_numbers_without_dimensions_and_scan_orders_of_one_column_are_crashes(found: Found) -> None:
    assert found.kinds("shapes/0d", "uniform") == {"crash"}
    assert found.kinds("shapes/width-1", "uniform") == set()
    assert found.kinds("shapes/width-1", "trellis-rows-blocks") == {"crash"}


def test_integers_arrive_exactly_and_what_does_not_fit_is_refused(found: Found) -> None:
    assert found.rows["kinds/int64", "uniform"]["outcome"] == "encoded"
    assert found.rows["kinds/int64-beyond", "uniform"]["outcome"] == "refused"
    assert found.rows["values/float64", "uniform"]["outcome"] == "encoded"
    assert found.rows["values/float64-beyond", "uniform"]["outcome"] == "refused"


def test_what_no_stream_can_carry_is_written_instead_of_refused(found: Found) -> None:
    assert found.kinds("shapes/empty", "uniform") == {"rules", "missing"}
    assert found.kinds("names/nul", "uniform") == {"rules", "missing"}
    assert found.kinds("values/nan", "uniform") == {"not-finite"}


def test_raw_floats_cannot_be_written_and_are_never_shown(found: Found) -> None:
    assert found.kinds("shapes/2d", "raw") == {"crash"}
    assert "KeyError" in found.rows["shapes/2d", "raw"]["problems"][0]["text"]
    assert found.rows["kinds/int64", "raw"]["outcome"] == "encoded"
    assert "raw float" in found.body["not_exercised"]["tools"]
    assert "integer" not in found.body["not_exercised"]["tools"]


def test_all_that_is_found_is_explained_with_the_divergences_that_are_known(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PAGES))
    pages = import_module("encoder_explained")
    said = [*pages.all_said(found.body, "problems"), *pages.all_said(found.body, "observations")]
    causes = [cause for cause, _ in pages.explained_sayings(said, pages.encoder_causes())]
    assert None not in causes
    assert {"D-35", "D-40", "D-56"} <= {cause.divergence for cause in causes if cause is not None}


def test_the_command_makes_the_streams_of_the_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    script = EXAMPLE / "nncodec_command.py"
    encoder = (
        f"{sys.executable} {script} encode {{tensors}} -o {{stream}} [--before {{before}}] [--options {{options}}]"
    )
    declared = {"name": "NNCodec", "version": "2.1.3", "encoder": encoder, "unsupported_codes": [3]}
    points = named("tensor-defaults", "local-scaling")
    only = ("kinds/mixed", "kinds/booleans", "chains/three")
    one = run(from_adapter("nncodec_adapter:NNCodec"), points, *only)
    other = run(from_content(declared), points, *only)
    assert {place: row["outcome"] for place, row in one.rows.items()} == {
        ("kinds/mixed", "tensor-defaults"): "encoded",
        ("kinds/booleans", "tensor-defaults"): "refused",
        ("chains/three", "tensor-defaults"): "encoded",
        ("kinds/mixed", "local-scaling"): "encoded",
        ("kinds/booleans", "local-scaling"): "refused",
        ("chains/three", "local-scaling"): "not claimed",
    }
    for place, row in one.rows.items():
        assert other.rows[place]["outcome"] == row["outcome"]
        assert other.rows[place].get("streams") == row.get("streams")
