"""The tree and the bytes in an HTML report are those of the stream, complete or with what is left out said."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance.checker.details import LONGEST_TEXT, MOST_BYTES, MOST_OF_UNIT, ROW
from nnr_conformance.diagnostics import Findings
from nnr_conformance.report.bit_listing import bit_rows
from nnr_conformance.report.html import render
from nnr_conformance.report.html_tree import script
from nnr_conformance.report.model import Report
from nnr_conformance.scope import SEPARATOR, Session
from nnr_conformance.syntax.unit_walker import walk_units
from tests.decoder.stream_builder import coded, parameter_set, raw, reference_list, start
from tests.report.golden import RUN, UNSAFE, damaged_report
from tests.report.page import Page, page_of

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"
STREAMS = sorted(BITSTREAMS.glob("examples/*.nnr")) + sorted(BITSTREAMS.glob("interop/nncodec/s1[023]*.nnc"))


def data_of(page: Page, stream: int = 0) -> dict[str, Any]:
    """The data of a stream's tree and bytes."""
    texts = [text for text in page.scripts if text.startswith('{\n"size"')]
    return json.loads(texts[stream])


def elements_of(data: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Unit, structures, name, first bit, size and value of every element, and whether it is inferred."""
    texts = data["texts"]
    return [
        (label, texts[structures], texts[name], first, size, texts[value], kind == 1)
        for label, _, _, _, _, _, elements in data["units"]
        for structures, name, _, first, size, value, _, kind in elements
    ]


def report_on(stream: bytes, details: int = 20_000) -> Report:
    return nnr_conformance.check(stream, names=["stream"], details=details)


def trace_of(stream: bytes) -> list[tuple[str, Any]]:
    """What the syntax alone says of a stream, each row with the label of its unit."""
    session = Session(Findings(), [])
    rows = []
    for parsed in walk_units(memoryview(stream), session):
        assert session.trace is not None
        rows += [(parsed.label, row) for row in bit_rows(session.trace, memoryview(stream))]
        session.trace.clear()
    return rows


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_every_element_of_a_small_stream_is_in_the_tree_with_its_bits(path: Path) -> None:
    stream = path.read_bytes()
    shown = elements_of(data_of(page_of(report_on(stream))))
    assert [row[:5] + row[6:] for row in shown] == [
        (label, SEPARATOR.join(row.structures), row.name, row.first, row.size, row.inferred)
        for label, row in trace_of(stream)
    ]


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_every_bit_outside_aggregate_units_is_in_one_element(path: Path) -> None:
    end = 0
    for _, _, _, first, size, _, _ in elements_of(data_of(page_of(report_on(path.read_bytes())))):
        if size:
            assert first == end
            end = first + size
    assert end == 8 * path.stat().st_size


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_the_bytes_of_a_small_stream_are_complete(path: Path) -> None:
    data = data_of(page_of(report_on(path.read_bytes())))
    assert [(first, bytes.fromhex(digits)) for first, digits in data["pieces"]] == [(0, path.read_bytes())]
    assert data["size"] == path.stat().st_size


def test_tensors_are_placed_in_the_payload_that_holds_them() -> None:
    data = data_of(page_of(report_on((BITSTREAMS / "examples/ex3_ed1_block_entrypoints.nnr").read_bytes())))
    (payload,) = [row for row in elements_of(data) if row[2] == "cabac_payload"]
    assert len(data["tensors"]) == 7
    end = payload[3]
    for name, first, until, shape in data["tensors"]:
        assert end <= first < until <= payload[3] + payload[4], name
        assert shape in {"17", "17×3"}
        end = until


def test_a_report_without_details_has_no_tree_and_no_links_into_it() -> None:
    report = nnr_conformance.check(start() + parameter_set() + coded("w", "e2-001-plain"))
    assert report.streams[0].details is None
    page = page_of(report)
    assert not page.all("details")[0].get("class")
    assert not [one for one in page.all("a") if str(one["href"]).startswith("#bits")]


def test_places_of_findings_units_and_tensors_are_links_to_their_bits() -> None:
    page = page_of(damaged_report())
    links = {one["href"] for one in page.all("a")}
    assert {"#bits-0-1631-1632", "#bits-0-2063-2064"} <= links
    # The place of a finding that names a unit and no bits is the unit.
    early = start() + coded("w", "e2-001-plain") + parameter_set()
    page = "".join(render(report_on(early), RUN))
    assert re.search(r'<dt>place</dt><dd><a href="#bits-0-[0-9]+-[0-9]+"><bdi>unit 1</bdi></a>', page)
    for number, stream in enumerate(damaged_report().streams):
        for one in stream.units:
            assert f"#bits-{number}-{8 * one.first}-{8 * (one.first + one.size)}" in links
        for tensor in stream.tensors:
            assert tensor.first_bit is not None
            assert f"#bits-{number}-{tensor.first_bit}-{tensor.first_bit + tensor.bits}" in links


def test_findings_are_marked_among_the_bytes() -> None:
    assert data_of(page_of(damaged_report()))["findings"] == [
        [1631, 1632, "error"],
        [1664, 1680, "warning"],
        [2063, 2064, "error"],
    ]


def test_text_of_a_stream_is_printable_and_cannot_end_the_data() -> None:
    hostile = "</script><script>alert(1)</script><!--\u2028"
    page = page_of(report_on(start() + parameter_set() + coded(hostile, "e2-001-plain")))
    assert len(page.all("script")) == 3
    values = [row[5] for row in elements_of(data_of(page))]
    assert '"</script><script>alert(1)</script><!--\\u2028"' in values
    data = data_of(page_of(damaged_report()))
    assert not [text for text in data["texts"] if not text.isprintable()]
    assert any("\\u202e" in text for text in data["texts"])
    assert UNSAFE not in json.dumps(data, ensure_ascii=False)


def test_a_long_value_is_cut() -> None:
    report = report_on(start() + parameter_set() + coded("n" * 5000, "e2-001-plain"))
    assert max(len(row[5]) for row in elements_of(data_of(page_of(report)))) <= LONGEST_TEXT


def test_the_program_is_the_one_that_the_policy_allows_and_makes_no_markup() -> None:
    page = page_of(damaged_report())
    (program,) = [text for text, one in zip(page.scripts, page.all("script"), strict=True) if "type" not in one]
    assert program == script()
    digest = b64encode(sha256(program.encode()).digest()).decode()
    (policy,) = [one["content"] for one in page.all("meta") if "http-equiv" in one]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bFunction\b", program)
    assert not [one for _, one in page.elements for name in one if name.startswith("on")]


def test_every_element_that_has_semantics_is_explained_in_the_page() -> None:
    page = page_of(damaged_report())
    said = json.loads(page.scripts[[one.get("id") for one in page.all("script")].index("semantics")])
    names = {row[2].partition("[")[0] for row in elements_of(data_of(page))}
    assert set(said) <= names
    assert names - set(said) <= {"byte_alignment()", "cabac_payload"}
    assert "R-UNIT" in said["nnr_unit_type"][1]


def test_a_long_list_does_not_hide_the_units_behind_it_and_what_is_left_out_is_said() -> None:
    stream = start() + parameter_set() + coded("w", "e2-001-plain")
    many = reference_list(*map(str, range(MOST_OF_UNIT + 1000)))
    page = page_of(report_on(start() + parameter_set() + many + coded("w", "e2-001-plain")))
    units = data_of(page)["units"]
    assert len(units) == len(data_of(page_of(report_on(stream)))["units"]) + 1
    (cut,) = [one for one in units if one[5]]
    assert len(cut[6]) == MOST_OF_UNIT
    assert cut[5] > 1000
    assert "elements not shown, nnr-explain lists all" in page.text.replace("\u202f", "")


def test_elements_are_bounded_over_all_streams_together() -> None:
    stream = start() + parameter_set() + 30 * coded("w", "e2-001-plain")
    report = nnr_conformance.check([stream, stream], details=100)
    kept = [one.details for one in report.streams if one.details is not None]
    assert sum(len(unit.elements) for details in kept for unit in details.units) == 100
    assert kept[1].units == ()
    assert kept[1].units_left_out == 32
    assert "32 units not shown" in page_of(report).text


def test_of_a_long_stream_the_page_has_headers_findings_and_what_comes_first() -> None:
    stream = bytearray(start() + parameter_set())
    places = []
    for number in range(4):
        places.append(len(stream))
        stream += raw(f"w{number}", np.arange(10_000.0))
    broken = coded("x", "e2-001-plain")
    stream += broken[:-3] + bytes([broken[-3] ^ 0x40]) + broken[-2:]
    report = report_on(bytes(stream))
    page = page_of(report)
    data = data_of(page)
    kept = {}
    for first, digits in data["pieces"]:
        assert first % ROW == 0
        kept |= dict(enumerate(bytes.fromhex(digits), first))
    assert len(kept) <= MOST_BYTES < len(stream)
    assert len(kept) > MOST_BYTES - 2 * ROW
    assert all(stream[at] == value for at, value in kept.items())
    (found,) = [one.bits for one in report.diagnostics if one.bits is not None]
    assert {found[0] >> 3, *(place + at for place in places for at in range(32)), 20_000} <= kept.keys()
    assert len("".join(page.scripts)) < 250_000


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100])
def test_a_stream_that_is_nothing_but_noise_has_all_its_bytes(size: int) -> None:
    stream = bytes(255 - at % 256 for at in range(size))
    data = data_of(page_of(report_on(stream)))
    assert "".join(digits for _, digits in data["pieces"]) == stream.hex()


@given(st.binary(max_size=60))
def test_no_stream_breaks_the_page(tail: bytes) -> None:
    page = page_of(report_on(start() + parameter_set() + tail))
    assert len(data_of(page)["units"]) >= 2
