"""The explorer in an HTML page has the bytes of a stream, or says what is left out, and what it reads them by."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnr_conformance
from nnr_conformance.checker.details import MOST_BYTES, MOST_OF_UNIT, ROW
from nnr_conformance.report.html import render
from nnr_conformance.report.html_explorer import ShownStream, script, streams_page
from nnr_conformance.report.model import Report
from nnr_conformance.suite.export.document import explained
from tests.decoder.stream_builder import coded, parameter_set, raw, reference_list, start
from tests.report.golden import RUN, UNSAFE, damaged_report
from tests.report.page import Page, page_of

BITSTREAMS = Path(__file__).parents[2] / "bitstreams"
STREAMS = sorted(BITSTREAMS.glob("examples/*.nnr")) + sorted(BITSTREAMS.glob("interop/nncodec/s1[023]*.nnc"))


def data_of(page: Page, stream: int = 0) -> dict[str, Any]:
    """The data of a stream's tree and bytes."""
    texts = [text for text in page.scripts if text.startswith('{"size"')]
    return json.loads(texts[stream])


def kept_of(data: dict[str, Any]) -> dict[int, int]:
    """The bytes that a page has, by their places."""
    return {first + at: byte for first, text in data["pieces"] for at, byte in enumerate(b64decode(text))}


def script_of(page: Page, **attributes: str) -> str:
    """The content of the script element with these attributes."""
    (found,) = [
        text
        for text, one in zip(page.scripts, page.all("script"), strict=True)
        if all(one.get(name) == value for name, value in attributes.items())
    ]
    return found


def report_on(stream: bytes, details: int = 20_000) -> Report:
    return nnr_conformance.check(stream, names=["stream"], details=details)


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.name)
def test_the_bytes_of_a_small_stream_are_complete(path: Path) -> None:
    page = page_of(report_on(path.read_bytes()))
    data = data_of(page)
    assert [(first, b64decode(text)) for first, text in data["pieces"]] == [(0, path.read_bytes())]
    assert data["size"] == path.stat().st_size
    assert "All of" in page.text


def test_tensors_are_placed_in_the_payload_that_holds_them() -> None:
    report = report_on((BITSTREAMS / "examples/ex3_ed1_block_entrypoints.nnr").read_bytes())
    data = data_of(page_of(report))
    assert len(data["tensors"]) == 7
    unit = report.streams[0].units[-1]
    end = 8 * (unit.first + unit.size - unit.payload_size)
    for name, first, until, shape in data["tensors"]:
        assert end <= first < until <= 8 * (unit.first + unit.size), name
        assert shape in {"17", "17×3"}
        end = until


def test_a_report_without_details_has_no_explorer_and_no_links_into_it() -> None:
    report = nnr_conformance.check(start() + parameter_set() + coded("w", "e2-001-plain"))
    assert report.streams[0].details is None
    page = page_of(report)
    assert not page.all("details")[0].get("class")
    assert not [one for one in page.all("a") if str(one["href"]).startswith("#bits")]
    assert len(page.all("script")) == 1


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


def test_findings_are_marked_among_the_bytes_with_what_they_say() -> None:
    found = data_of(page_of(damaged_report()))["findings"]
    assert [[*one["bits"], one["severity"]] for one in found] == [
        [1631, 1632, "error"],
        [1664, 1680, "warning"],
        [2063, 2064, "error"],
    ]
    requirements = {row["id"] for row in explained()["requirements"]}
    assert all(one["message"] and one["requirement"] in requirements for one in found)


def test_text_of_a_stream_is_printable_and_cannot_end_the_data() -> None:
    hostile = "</script><script>alert(1)</script><!--\u2028"
    page = page_of(report_on(start() + parameter_set() + coded(hostile, "e2-001-plain")))
    assert len(page.all("script")) == 3
    data = data_of(page_of(damaged_report()))
    assert UNSAFE not in json.dumps(data, ensure_ascii=False)
    text = "".join(streams_page(hostile, [ShownStream(hostile, 1, ((0, b"\0"),), hostile)]))
    page = Page(text)
    assert len(page.all("script")) == 3
    assert json.loads(script_of(page, id="streams"))[0]["name"] == hostile


@pytest.mark.parametrize("kind", ["report", "streams"])
def test_the_program_is_the_one_that_the_policy_allows_and_makes_no_markup(kind: str) -> None:
    page = page_of(damaged_report()) if kind == "report" else Page("\n".join(streams_page("t", [])))
    (program,) = [text for text, one in zip(page.scripts, page.all("script"), strict=True) if "type" not in one]
    assert program == script()
    digest = b64encode(sha256(program.encode()).digest()).decode()
    (policy,) = [one["content"] for one in page.all("meta") if "http-equiv" in one]
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bFunction\b", program)
    assert not re.search(r"\bfetch\b|XMLHttpRequest|WebSocket|sendBeacon|^import |^export ", program, re.MULTILINE)
    assert not [one for _, one in page.elements for name in one if name.startswith("on")]


def test_the_page_has_what_the_program_reads_streams_by() -> None:
    said = json.loads(script_of(page_of(damaged_report()), id="specification"))
    assert said == explained()
    assert data_of(page_of(damaged_report()))["options"] == {"readings": {}, "outOfBand": {}, "limits": RUN.limits}


def test_what_was_given_out_of_band_and_chosen_is_there_for_the_program() -> None:
    given = {"tensor_dimensions": [2, 3]}
    report = nnr_conformance.check(
        start() + parameter_set(), readings=["map-count=plain"], out_of_band=given, details=100
    )
    options = data_of(page_of(report))["options"]
    assert options["outOfBand"] == given
    assert options["readings"] == {"map-count": "plain"}


def test_a_long_list_does_not_hide_the_units_behind_it_and_what_is_left_out_is_said() -> None:
    many = reference_list(*(f"{number:010}" for number in range(MOST_OF_UNIT + 1000)))
    stream = start() + parameter_set() + many + coded("w", "e2-001-plain")
    page = page_of(report_on(stream))
    data = data_of(page)
    assert len(stream) > MOST_BYTES
    assert len(stream) - 40 in kept_of(data)
    assert "elements elsewhere are not shown, nnr-explain lists all" in page.text


def test_elements_whose_bytes_are_kept_are_bounded_over_all_streams_together() -> None:
    units = [raw(f"w{number:02}", np.arange(1000.0)) for number in range(30)]
    stream = start() + parameter_set() + b"".join(units)
    report = nnr_conformance.check([stream, stream], details=100)
    kept = [one.details for one in report.streams if one.details is not None]
    last = len(stream) - len(units[-1])
    assert all(any(first <= 0 < first + len(content) for first, content in one.pieces) for one in kept)
    assert not any(first <= last < first + len(content) for first, content in kept[1].pieces)


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
    assert all(first % ROW == 0 for first, _ in data["pieces"])
    kept = kept_of(data)
    assert len(kept) <= MOST_BYTES < len(stream)
    assert len(kept) > MOST_BYTES - 2 * ROW
    assert all(stream[at] == value for at, value in kept.items())
    (found,) = [one.bits for one in report.diagnostics if one.bits is not None]
    assert {found[0] >> 3, *(place + at for place in places for at in range(32)), 20_000} <= kept.keys()
    assert len("".join(page.scripts)) < 500_000


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 100])
def test_a_stream_that_is_nothing_but_noise_has_all_its_bytes(size: int) -> None:
    stream = bytes(255 - at % 256 for at in range(size))
    assert bytes(kept_of(data_of(page_of(report_on(stream)))).values()) == stream


@given(st.binary(max_size=60))
def test_no_stream_breaks_the_page(tail: bytes) -> None:
    stream = start() + parameter_set() + tail
    assert bytes(kept_of(data_of(page_of(report_on(stream)))).values()) == stream
