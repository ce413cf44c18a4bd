"""Framing: units by their sizes alone, over good and bad sizes (clause 6, R-UNIT-01 to R-UNIT-06)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.framing import UnitSpan, frame
from nnr_conformance.limits import Limits
from nnr_conformance.scope import Session


def sized(body: bytes, *, long_form: bool = False) -> bytes:
    """A unit around header and payload bytes."""
    size = len(body) + (4 if long_form else 2)
    return ((1 << 31) | size).to_bytes(4, "big") + body if long_form else size.to_bytes(2, "big") + body


def framed(data: bytes, session: Session | None = None) -> tuple[list[UnitSpan], list[str]]:
    session = session or Session()
    spans = list(frame(memoryview(data), session))
    return spans, [found.code for found in session.findings]


bodies = st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.booleans()), max_size=6)


@given(bodies)
def test_spans_lie_end_to_end_and_hold_the_units(units: list[tuple[bytes, bool]]) -> None:
    data = b"".join(sized(body, long_form=long_form) for body, long_form in units)
    spans, codes = framed(data)
    assert [span.label for span in spans] == [f"unit {number}" for number in range(len(units))]
    reached = 0
    for span, (body, long_form) in zip(spans, units, strict=True):
        assert span.first == reached
        assert data[span.first : span.end] == sized(body, long_form=long_form)
        assert span.header == span.first + (4 if long_form else 2)
        assert span.declared == span.end - span.first
        reached = span.end
    assert reached == len(data)
    assert codes == ["unit_size_long_form"] * sum(long_form for _, long_form in units)


@given(st.binary(max_size=60))
def test_any_bytes_are_walked_in_order_and_never_raise(data: bytes) -> None:
    session = Session()
    spans, codes = framed(data, session)
    reached = 0
    for span in spans:
        assert span.first == reached < span.end <= len(data)
        reached = span.end
    assert codes or reached == len(data)
    for found in session.findings:
        assert found.bits is not None
        assert 0 <= found.bits[0] <= found.bits[1] <= 8 * len(data)


def test_sizes_count_the_size_field_itself() -> None:
    spans, codes = framed(bytes.fromhex("000402000003ff80000005aa"))
    assert [(span.first, span.end, span.declared) for span in spans] == [(0, 4, 4), (4, 7, 3), (7, 12, 5)]
    assert codes == ["unit_size_long_form"]


def test_the_long_form_is_right_for_sizes_that_do_not_fit_the_short_one() -> None:
    spans, codes = framed(sized(bytes(32766), long_form=True))
    assert [span.declared for span in spans] == [32770]
    assert codes == []


def test_the_long_form_is_noted_for_the_largest_size_that_fits_the_short_one() -> None:
    assert framed(sized(bytes(32765), long_form=True))[1] == ["unit_size_long_form"]


@pytest.mark.parametrize("size", ["0000", "0001", "0002", "80000000", "80000004"])
def test_a_size_that_does_not_cover_its_field_and_header_ends_the_walk(size: str) -> None:
    session = Session()
    spans, codes = framed(bytes.fromhex("00040200" + size + "00040200"), session)
    assert [span.end for span in spans] == [4]
    assert codes == ["unit_size_too_small"]
    (found,) = session.findings
    assert found.bits == (32, 32 + 4 * len(size))
    assert found.path == "unit 1"


def test_a_unit_beyond_the_stream_is_delivered_truncated() -> None:
    session = Session()
    spans, codes = framed(bytes.fromhex("00040200000902"), session)
    assert (spans[1].first, spans[1].header, spans[1].end, spans[1].declared) == (4, 6, 7, 9)
    assert codes == ["unit_exceeds_stream"]


@pytest.mark.parametrize("tail", ["00", "80", "8000", "800000"])
def test_bytes_too_few_for_a_size_field_are_reported_behind_the_last_unit(tail: str) -> None:
    session = Session()
    spans, codes = framed(bytes.fromhex("00040200" + tail), session)
    assert len(spans) == 1
    assert codes == ["unit_size_truncated"]
    assert [found.bits for found in session.findings] == [(32, 32 + 4 * len(tail))]


def test_no_bytes_are_no_units() -> None:
    assert framed(b"") == ([], [])


def test_units_inside_an_aggregate_are_numbered_behind_its_label_and_end_with_it() -> None:
    data = bytes.fromhex("ffff0003aa0008aa00040200")
    session = Session()
    spans = list(frame(memoryview(data), session, 2, 8, "unit 3"))
    assert [(span.label, span.first, span.end, span.declared) for span in spans] == [
        ("unit 3.0", 2, 5, 3),
        ("unit 3.1", 5, 8, 8),
    ]
    (found,) = session.findings
    assert found.code == "unit_exceeds_stream"
    assert "unit 3" in found.message


def test_more_units_than_the_limit_end_the_walk_undetermined() -> None:
    session = Session(limits=Limits(units=3))
    spans, codes = framed(bytes.fromhex("000300" * 5), session)
    assert len(spans) == 3
    assert codes == ["limit_units"]


def test_framing_leaves_no_trace() -> None:
    session = Session(trace=[])
    framed(bytes.fromhex("00040200"), session)
    assert session.trace == []
