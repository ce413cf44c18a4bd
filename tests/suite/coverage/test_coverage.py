"""Coverage says what streams exercise, to the single condition, context and tool, and nothing that they do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnr_conformance.cli.suite import main
from nnr_conformance.data import data_path, load_yaml
from nnr_conformance.encoder.recipe import build_recipe
from nnr_conformance.entropy import PayloadRules, TensorCoding, decode_payload
from nnr_conformance.suite.coverage.code_items import BRANCHES, LINES, ModuleLines, measure_code, module_lines
from nnr_conformance.suite.coverage.items import Coverage, Item, StreamHits, coverage_of, exclusions, smallest_subset
from nnr_conformance.suite.coverage.measure import Sample, hits_of, measure, universe
from nnr_conformance.suite.coverage.page import page
from nnr_conformance.suite.coverage.replay import levels_of, replay, tensor_data
from nnr_conformance.suite.coverage.report import text_lines, to_json
from nnr_conformance.suite.coverage.samples import samples, stream_files

HEAD: list[dict[str, Any]] = [{"NNR_STR": {}}, {"NNR_MPS": {"mps_qp_density": 2}}]


def sample(*units: dict[str, Any], name: str = "a") -> Sample:
    return Sample(name, (build_recipe([*HEAD, *units]).data,))


def coded(levels: Any, **elements: Any) -> dict[str, Any]:
    tensor = {key: elements.pop(key) for key in ("row_skip", "init_ids") if key in elements}
    return {"NNR_NDU": {"topology_elem_id": "w", "tensors": [{"levels": levels, **tensor}], **elements}}


def names(hits: StreamHits, group: str) -> set[str]:
    return {item.name for item in hits.hits if item.group == group}


def test_an_element_and_the_ends_of_its_range_are_met_where_they_are_in_the_stream() -> None:
    met = hits_of(sample(coded([[1, 2], [3, 4]], scan_order=4)))
    assert met.hits[Item("elements", "scan_order")] == 1
    assert {"scan_order: 4", "dq_flag: 0"} <= names(met, "values")
    assert "scan_order: 0" not in names(met, "values")
    vector = hits_of(sample(coded([1, 2])))
    assert "scan_order (inferred)" in names(vector, "elements")
    assert "scan_order" not in names(vector, "elements")


def test_a_condition_is_covered_in_the_way_that_it_went() -> None:
    met = names(hits_of(sample(coded([1, 2]))), "branches")
    (condition,) = {name.rpartition(":")[0] for name in met if "(count_tensor_dimensions > 1)" in name}
    assert f"{condition}: does not hold" in met
    assert f"{condition}: holds" not in met
    assert f"{condition}: holds" in names(hits_of(sample(coded([[1, 2], [3, 4]]))), "branches")


def test_contexts_are_those_of_the_bins_that_were_coded() -> None:
    met = names(hits_of(sample(coded([0, 1]))), "contexts")
    assert {name for name in met if name.startswith(("sig", "sign", "greater"))} == {
        "sig 0: bin 0",
        "sig 0: bin 1",
        "sign 0: bin 0",
        "greater 0: bin 0",
    }


def test_initialization_ids_row_flags_and_trellis_states_are_counted() -> None:
    unit = coded([[0, 0], [1, 0], [0, 0]], dq_flag=1, row_skip=[1, 0, 1], init_ids={"sig 3": 7, "greater 1": 2})
    met = hits_of(sample(unit))
    assert {"sig: 7", "greater: 2"} <= names(met, "initialization ids")
    assert names(met, "row skipping") == {"first row skipped", "last row skipped"}
    assert len(names(met, "trellis")) == 1


def test_borders_of_the_scan_are_told_apart() -> None:
    wide = hits_of(sample(coded([[1] * 20] * 9, scan_order=1)))
    assert names(wide, "scan") == {"block size 8", "two block rows", "clipped right block", "clipped lower block"}
    exact = hits_of(sample(coded([[1] * 8] * 8, scan_order=1)))
    assert names(exact, "scan") == {"block size 8", "single block row", "blocks fit exactly"}


def test_tools_are_paired_inside_a_unit_and_not_between_units() -> None:
    both = names(hits_of(sample(coded([[1] * 9] * 9, scan_order=1, dq_flag=1))), "tool pairs")
    assert "dependent quantization + block scan" in both
    units = coded([1, 2], dq_flag=1), coded([[1] * 9] * 9, scan_order=1, topology_elem_id="v")
    assert "dependent quantization + block scan" not in names(hits_of(sample(*units)), "tool pairs")


magnitudes = st.one_of(st.just(0), st.integers(-3, 3), st.integers(-300, 300))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_replay_writes_the_levels_that_were_decoded(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 12))
    levels = data.draw(st.lists(magnitudes, min_size=height * width, max_size=height * width))
    dq, order = data.draw(st.booleans()), data.draw(st.integers(0, 2))
    unit = coded(np.array(levels).reshape(height, width).tolist(), dq_flag=int(dq), scan_order=order)
    built = build_recipe([*HEAD, unit])
    payload = next(entry for entry in built.trace if entry.name == "cabac_payload")
    coding = TensorCoding((height, width), 10, dq, order, 2, 8)
    result = decode_payload(bytes(payload.value), [coding], compiled=False)
    found = tensor_data(coding, result.tensors[0], PayloadRules())
    assert list(found.levels) == levels == levels_of(coding, result.tensors[0], PayloadRules())
    bins = sum(
        count for (group, _), count in replay([coding], result.tensors, PayloadRules()).items() if group == "contexts"
    )
    assert bins >= len(levels)


def test_a_small_subset_meets_as_much_as_all_streams() -> None:
    coverage = measure(
        [sample(coded([0, 1]), name="a"), sample(coded([0, 1]), name="b"), sample(coded([[5]]), name="c")]
    )
    chosen = smallest_subset(coverage)
    assert len(chosen) == 2
    kept = coverage_of(coverage.universe, [one for one in coverage.streams if one.name in chosen])
    assert set(kept.covered) == set(coverage.covered)


def test_what_cannot_be_reached_is_named_with_a_reason_and_is_part_of_the_universe() -> None:
    items = universe()
    for one in exclusions():
        assert len(one.reason) > 20
        assert one.group in {LINES, BRANCHES} or any(one.covers(item) for item in items), one.name


def test_an_exclusion_that_a_stream_refutes_is_reported() -> None:
    row = load_yaml("spec/coverage.yaml")[0]
    item = next(item for item in universe() if exclusions()[0].covers(item))
    coverage = coverage_of([item], [StreamHits("a", 1, {item: 1})])
    assert coverage.unexpected == [item]
    assert any("said to be unreachable" in line for line in text_lines(coverage, [], missing=5)), row


def test_the_universe_has_no_item_twice_and_hits_are_all_inside() -> None:
    items = universe()
    assert len(set(items)) == len(items)
    met = hits_of(sample(coded([[1, -2], [0, 4]], dq_flag=1)))
    groups = {item.group for item in met.hits if item not in set(items)}
    assert groups <= {"values", "contexts", "engine", "elements"}


@pytest.mark.parametrize(("name", "kind"), [("coverage", "exclusions"), ("coverage_report", "report")])
def test_files_are_as_their_schemas_say(name: str, kind: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(data_path(f"spec/schemas/{name}.schema.json").read_text(encoding="utf-8"))
    code = [ModuleLines("entropy/rows.py", 2, 1, 2, 1, (7,), ((7, -1),))]
    content = load_yaml("spec/coverage.yaml") if kind == "exclusions" else to_json(stored(), code)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(content)


def stored() -> Coverage:
    return measure(samples(stream_files([data_path("bitstreams/examples")])))


def test_reports_agree_with_the_coverage() -> None:
    coverage = stored()
    values = to_json(coverage, [])
    json.dumps(values)
    for group in values["groups"]:
        assert (group["met"], group["reachable"]) == coverage.of_group(group["group"])[:2]
        assert (
            sum(item["smallest_stream"] is not None and not item["unreachable"] for item in group["items"])
            == group["met"]
        )
    text = page(values)
    assert "http://" not in text
    assert "https://" not in text
    assert "scan_order: 4" in text


def test_lines_of_the_decoder_are_measured_by_streams_alone() -> None:
    pytest.importorskip("coverage")
    rows = {row.module: row for row in measure_code(stream_files([data_path("bitstreams/examples")]))}
    assert rows["entropy/rows.py"].covered_lines > 100
    assert rows["entropy/rows.py"].missing_lines
    assert "syntax/describe.py" not in rows
    known = {row["reason"] for row in load_yaml("spec/coverage.yaml") if row["group"] in {LINES, BRANCHES}}
    given = {
        why for row in rows.values() for why in (*row.unreachable_lines.values(), *row.unreachable_branches.values())
    }
    assert known <= given, "reasons for lines that are no longer there, or run"


SMALL_MODULE = """\
def apply_local_scaling(out):
    if out is None:
        out = 1
    return out

def check(value):
    if value < 0:
        raise UsageError("no")

class BitWriter:
    def bits(self):
        return 1
"""


def test_lines_that_no_stream_runs_are_those_of_builders_guards_and_rows_with_a_reason() -> None:
    content = {
        "executed_lines": [1, 2, 4, 6, 7, 10, 11],
        "missing_lines": [3, 8, 12],
        "executed_branches": [[2, 4], [7, -6]],
        "missing_branches": [[2, 3], [7, 8]],
    }
    found = module_lines("bits.py", SMALL_MODULE, content)
    assert (found.lines, found.covered_lines, found.missing_lines) == (6, 5, (3,))
    assert (found.branches, found.covered_branches, found.missing_branches) == (3, 2, ((2, 3),))
    assert set(found.unreachable_lines) == {8, 12}
    assert set(found.unreachable_branches) == {(7, 8)}
    text = "\n".join(text_lines(coverage_of([], []), [found], missing=5))
    assert "lines not run, bits.py: 3" in text
    assert "branches not taken, bits.py: 2 to 3" in text


def test_the_command_measures_streams_of_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.nnr").write_bytes(sample(coded([1, 2, 3])).data[0])
    assert main(["coverage", str(tmp_path)]) == 0
    assert "1 streams" in capsys.readouterr().out
    assert main(["coverage", "--minimum", "50", str(tmp_path)]) == 1
    capsys.readouterr()
    assert main(["coverage", "--select", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "mine.nnr\n"
    assert main(["coverage", "--format", "json", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["streams"][0]["name"] == "mine.nnr"
