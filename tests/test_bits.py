"""The bit cursor: positions, bounds, bulk bytes; and that writing is the inverse of reading (clause 6, R-GEN-01)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.bits import LONGEST_PREFIX, BitReader, BitWriter, EndOfBits, PrefixTooLong

fields = st.lists(
    st.integers(0, 100).flatmap(lambda width: st.tuples(st.integers(0, (1 << width) - 1), st.just(width)))
)


def written(*pieces: tuple[int, int]) -> bytes:
    writer = BitWriter()
    for value, width in pieces:
        writer.bits(value, width)
    writer.bits(0, -writer.position % 8)
    return writer.getvalue()


@given(fields)
def test_fields_of_any_width_are_read_as_they_were_written(pieces: list[tuple[int, int]]) -> None:
    reader = BitReader(written(*pieces))
    assert [reader.bits(width) for _, width in pieces] == [value for value, _ in pieces]
    assert reader.position == sum(width for _, width in pieces)


@given(fields)
def test_written_bits_are_the_binary_digits_in_order(pieces: list[tuple[int, int]]) -> None:
    digits = "".join(f"{value:0{width}b}" if width else "" for value, width in pieces)
    data = written(*pieces)
    assert "".join(f"{byte:08b}" for byte in data) == digits + "0" * (-len(digits) % 8)


@given(
    st.integers(0, 15),
    st.integers(0, 32).flatmap(lambda zeros: st.integers(0, (1 << zeros + 1) - 2)),
    st.integers(0, 7),
)
def test_exp_golomb_codes_are_read_as_written_at_any_bit_position(order: int, value: int, skew: int) -> None:
    writer = BitWriter()
    writer.bits(0, skew)
    writer.exp_golomb(value, order)
    end = writer.position
    writer.bits(0, -end % 8)
    reader = BitReader(writer.getvalue(), skew, end)
    assert reader.exp_golomb(order) == value
    assert reader.position == end


@given(st.binary(max_size=8), st.integers(0, 80), st.integers(0, 80), st.integers(0, 64))
def test_a_read_beyond_the_end_raises_and_leaves_the_cursor(data: bytes, first: int, end: int, count: int) -> None:
    reader = BitReader(data, first, min(end, 8 * len(data)))
    if first + count <= reader.end:
        reader.bits(count)
        assert reader.position == first + count
    else:
        with pytest.raises(EndOfBits):
            reader.bits(count)
        assert reader.position == first


def test_exp_golomb_codes_may_start_with_32_zeros_but_not_with_33() -> None:
    assert BitReader(written((1, 33), (7, 32))).exp_golomb(0) == (1 << 32) - 1 + 7
    with pytest.raises(PrefixTooLong):
        BitReader(written((0, 3), (1, 34), (0, 33)), 3).exp_golomb(0)
    assert LONGEST_PREFIX == 32


@pytest.mark.parametrize("end", range(9))
def test_an_exp_golomb_code_cut_anywhere_raises(end: int) -> None:
    reader = BitReader(written((0b000010110, 9)), 0, end)
    with pytest.raises(EndOfBits):
        reader.exp_golomb(0)


def test_aligned_bytes_are_a_view_of_the_buffer_and_not_a_copy() -> None:
    buffer = bytearray(b"abcdef")
    view = BitReader(buffer, 8).aligned_bytes(3)
    buffer[1:4] = b"xyz"
    assert bytes(view) == b"xyz"


def test_aligned_bytes_move_the_cursor_behind_them() -> None:
    reader = BitReader(b"abc", 8)
    assert bytes(reader.aligned_bytes(1)) == b"b"
    assert reader.position == 16
    assert bytes(reader.aligned_bytes(1)) == b"c"
    assert reader.remaining == 0


@given(st.integers(0, 700), st.integers(0, 900), st.integers(0, 5))
def test_the_next_zero_byte_is_found_within_the_limit_only(length: int, limit: int, skip: int) -> None:
    reader = BitReader(b"\0" * skip + b"x" * length + b"\0x\0", 8 * skip)
    assert reader.find_zero_byte(limit) == (length if length < limit else None)
    assert reader.position == 8 * skip


def test_no_zero_byte_is_found_behind_the_end_of_the_unit() -> None:
    assert BitReader(b"ab\0", 0, 16).find_zero_byte(100) is None


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_bulk_bytes_and_bits_mix_at_byte_boundaries(first: bytes, second: bytes) -> None:
    writer = BitWriter()
    writer.aligned_bytes(first)
    writer.bits(0b101, 3)
    writer.bits(0b00001, 5)
    writer.aligned_bytes(second)
    assert writer.position == 8 * (len(first) + 1 + len(second))
    assert writer.getvalue() == first + b"\xa1" + second


def test_bytes_cannot_be_written_or_taken_inside_a_byte() -> None:
    writer = BitWriter()
    writer.bits(1, 1)
    with pytest.raises(ValueError, match="byte boundary"):
        writer.aligned_bytes(b"a")
    with pytest.raises(ValueError, match="byte boundary"):
        writer.getvalue()


@pytest.mark.parametrize(("value", "width"), [(-1, 4), (16, 4), (1, 0)])
def test_a_value_that_does_not_fit_its_bits_is_refused(value: int, width: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        BitWriter().bits(value, width)
