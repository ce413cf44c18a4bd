"""Descriptors: worked examples of the facts in both directions, limits, findings, trace entries (clause 6, R-GEN)."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from construct import this
from hypothesis import given
from hypothesis import strategies as st

from nnr_conformance.binary32 import Binary32
from nnr_conformance.bits import BitReader, BitWriter
from nnr_conformance.descriptors import (
    BitString,
    ByteAlignment,
    Descriptor,
    Enumeration,
    Must,
    bs,
    flt,
    i,
    ie,
    reserved_zero,
    u,
    ue,
    value,
)
from nnr_conformance.descriptors import st as string
from nnr_conformance.errors import BitstreamError, BuildError
from nnr_conformance.limits import Limits
from nnr_conformance.scope import Scope, Session, TreeSource
from nnr_conformance.syntax.declaration import For, If, OutOfBand, Structure


def parse(descriptor: Descriptor, bits: str, session: Session | None = None, first: int = 0, **scope: Any) -> Any:
    """The element at bit `first` of a string of binary digits; all digits must be consumed."""
    data = int(bits + "0" * (-len(bits) % 8) or "0", 2).to_bytes((len(bits) + 7) // 8, "big")
    reader = BitReader(data, first, len(bits))
    parsed = descriptor._parse(reader, Scope(session or Session(), scope), "s · element")
    assert reader.position == len(bits)
    return parsed


def build(descriptor: Descriptor, element: Any, before: str = "", **scope: Any) -> str:
    """The binary digits of an element that is written behind the digits `before`."""
    writer = BitWriter()
    writer.bits(int(before or "0", 2), len(before))
    descriptor._build(element, writer, Scope(Session(), scope), "s · element")
    end = writer.position
    writer.bits(0, -end % 8)
    return "".join(f"{byte:08b}" for byte in writer.getvalue())[len(before) : end]


def fault_of(descriptor: Descriptor, bits: str, session: Session | None = None, first: int = 0, **scope: Any) -> Any:
    with pytest.raises(BitstreamError) as caught:
        parse(descriptor, bits, session, first, **scope)
    return caught.value.diagnostic


def digits(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


UNSIGNED = [
    (1, 1, "1"),
    (5, 3, "00011"),
    (8, 200, "11001000"),
    (15, 4, "000000000000100"),
    (13, 8191, "1111111111111"),
]
SIGNED = [
    (13, 0, "0000000000000"),
    (13, 5, "0000000000101"),
    (13, -1, "1111111111111"),
    (13, -75, "1111110110101"),
    (13, -4096, "1000000000000"),
    (13, 4095, "0111111111111"),
]
EXP_GOLOMB = {
    0: "0:1 1:010 2:011 3:00100 4:00101 7:0001000 100:0000001100101",
    1: "0:10 1:11 2:0100 3:0101 4:0110 5:0111 6:001000 100:000001100110",
    2: "0:100 3:111 4:01000 11:01111 12:0010000 100:00001101000",
    3: "0:1000 7:1111 8:010000 23:011111 24:00100000",
    4: "0:10000 15:11111 16:0100000 47:0111111 48:001000000",
    5: "0:100000 31:111111 32:01000000 95:01111111 96:0010000000",
    7: "0:10000000 3:10000011 127:11111111 128:0100000000 300:0110101100 383:0111111111 384:001000000000",
    11: "0:100000000000 300:100100101100 2047:111111111111 2048:01000000000000 6144:0010000000000000",
}
SIGNED_EXP_GOLOMB = {
    2: "0:100 +1:101 -1:110 +2:111 -2:01000 +3:01001 -3:01010 +63:0000010000001 -64:0000010000100",
    7: "0:10000000 +1:10000001 -1:10000010 +2:10000011 -3:10000110 +64:11111111 -64:0100000000 +65:0100000001 "
    "+127:0101111101 -128:0110000000 +200:001000001111",
}
STRINGS = [("", "00"), ("w", "7700"), ("é", "c3a900"), ("conv1.weight", "636f6e76312e77656967687400")]
FLOATS = [(1.0, "0000803f"), (-0.5, "000000bf"), (0.1, "cdcccc3d")]
ALIGNMENTS = [(0, "10000000"), (1, "1000000"), (3, "10000"), (7, "1")]


def pairs(table: dict[int, str]) -> list[tuple[int, int, str]]:
    rows = [(order, *pair.split(":")) for order, line in table.items() for pair in line.split()]
    return [(order, int(number), code) for order, number, code in rows]


@pytest.mark.parametrize(("width", "number", "code"), UNSIGNED)
def test_u_is_unsigned_most_significant_bit_first(width: int, number: int, code: str) -> None:
    assert parse(u(width), code) == number
    assert build(u(width), number) == code


@pytest.mark.parametrize(("width", "number", "code"), SIGNED)
def test_i_is_twos_complement(width: int, number: int, code: str) -> None:
    assert parse(i(width), code) == number
    assert build(i(width), number) == code


@pytest.mark.parametrize(("order", "number", "code"), pairs(EXP_GOLOMB))
def test_ue_counts_zeros_up_to_a_one(order: int, number: int, code: str) -> None:
    assert parse(ue(order), code) == number
    assert build(ue(order), number) == code


@pytest.mark.parametrize(("order", "number", "code"), pairs(SIGNED_EXP_GOLOMB))
def test_ie_maps_odd_codes_to_positive_values(order: int, number: int, code: str) -> None:
    assert parse(ie(order), code) == number
    assert build(ie(order), number) == code


@pytest.mark.parametrize(("number", "code"), FLOATS)
@pytest.mark.parametrize("before", ["", "101"])
def test_flt_has_its_least_significant_byte_first_at_any_bit_position(number: float, code: str, before: str) -> None:
    bits = digits(bytes.fromhex(code))
    parsed = parse(flt(32), before + bits, first=len(before))
    assert struct.pack("<f", parsed) == bytes.fromhex(code)
    assert build(flt(32), number, before) == bits


@pytest.mark.parametrize(("text", "code"), STRINGS)
def test_st_is_utf8_closed_by_a_zero_byte(text: str, code: str) -> None:
    assert parse(string(), digits(bytes.fromhex(code))) == text
    assert build(string(), text) == digits(bytes.fromhex(code))


@pytest.mark.parametrize(("used", "code"), ALIGNMENTS)
def test_byte_alignment_is_a_one_and_zeros_up_to_the_boundary(used: int, code: str) -> None:
    session = Session()
    parse(ByteAlignment(), "0" * used + code, session, first=used)
    assert not list(session.findings)
    assert build(ByteAlignment(), None, "0" * used) == code


def test_byte_alignment_costs_a_whole_byte_when_already_aligned() -> None:
    assert build(ByteAlignment(), None, "11110000") == "10000000"
    assert parse(ByteAlignment(), "1111000010000000", first=8) == 0x80


@pytest.mark.parametrize(("used", "code"), [(0, "00000000"), (0, "11000000"), (3, "10001"), (7, "0")])
def test_wrong_alignment_bits_are_reported_and_passed_over(used: int, code: str) -> None:
    session = Session()
    parse(ByteAlignment(), "0" * used + code, session, first=used)
    (finding,) = session.findings
    assert (finding.code, finding.bits) == ("alignment_bits", (used, 8))


@pytest.mark.parametrize("width", [256, 512])
def test_digests_are_one_big_integer_with_their_bytes_in_order(width: int) -> None:
    digest = bytes(range(width // 8))
    assert parse(u(width), digits(digest)) == int.from_bytes(digest, "big")
    assert build(u(width), int.from_bytes(digest, "big")) == digits(digest)


def test_a_width_or_an_order_may_be_an_expression() -> None:
    assert parse(u(15 + 16 * this.flag), "0" * 30 + "1", flag=1) == 1
    assert build(ue(this.k), 3, k=7) == "10000011"


@given(st.integers(0, (1 << 32) - 1))
def test_flt_keeps_every_pattern_nan_payloads_included(pattern: int) -> None:
    number = Binary32.from_pattern(pattern)
    bits = build(flt(32), number)
    parsed = parse(flt(32), bits)
    assert parsed.pattern == pattern
    assert parsed == number
    assert math.isnan(parsed) == math.isnan(number)


@pytest.mark.parametrize(
    ("descriptor", "element"),
    [
        (u(4), 16),
        (u(4), -1),
        (u(4), "1"),
        (u(4), None),
        (i(4), 8),
        (i(4), -9),
        (ue(1), -1),
        (ue(0), (1 << 33) - 1),
        (ie(2), "x"),
        (string(), "a\0b"),
        (string(), 3),
        (flt(32), 1e39),
        (flt(32), "x"),
        (bs(), 3.5),
        (BitString(3), b"\xff"),
        (BitString(3), b"\xe0\x00"),
    ],
)
def test_a_value_that_the_descriptor_cannot_code_is_a_build_error(descriptor: Descriptor, element: Any) -> None:
    with pytest.raises(BuildError, match="element"):
        build(descriptor, element)


def test_only_flt_32_exists() -> None:
    with pytest.raises(ValueError, match="32"):
        flt(64)


def test_an_exp_golomb_code_with_more_than_32_leading_zeros_is_reported_with_its_place() -> None:
    found = fault_of(ue(1), "00000" + "0" * 33 + "1" + "0" * 40, first=5)
    assert (found.code, found.bits, found.path) == ("exp_golomb_too_long", (5, 38), "s · element")


@pytest.mark.parametrize(
    ("descriptor", "bits"),
    [(u(8), "1111"), (i(13), "1"), (ue(3), "0010"), (ie(2), "00"), (flt(32), "0" * 31), (ByteAlignment(), "")],
)
def test_a_read_beyond_the_end_of_the_unit_is_an_overrun(descriptor: Descriptor, bits: str) -> None:
    found = fault_of(descriptor, bits)
    assert (found.code, found.bits) == ("unit_overrun", (0, len(bits)))


def test_a_string_must_start_at_a_byte_boundary() -> None:
    assert fault_of(string(), "0" * 16, first=3).code == "string_not_aligned"
    with pytest.raises(BuildError, match="byte boundary"):
        build(string(), "a", "1")


def test_a_string_without_a_zero_byte_inside_the_unit_is_not_terminated() -> None:
    found = fault_of(string(), digits(b"abc"))
    assert (found.code, found.bits) == ("string_not_terminated", (0, 24))


def test_a_string_beyond_the_limit_is_reported_before_it_is_read() -> None:
    session = Session(limits=Limits(string_bytes=4))
    assert parse(string(), digits(b"abcd\0"), session) == "abcd"
    assert fault_of(string(), digits(b"abcde\0"), session).code == "limit_string"


@given(st.binary(max_size=12).map(lambda data: data.replace(b"\0", b"")))
def test_strings_that_are_no_utf8_are_reported_and_survive_a_round_trip(data: bytes) -> None:
    session = Session()
    text = parse(string(), digits(data + b"\0"), session)
    assert build(string(), text) == digits(data + b"\0")
    valid = len(data.decode("utf-8", errors="ignore").encode()) == len(data)
    assert [finding.code for finding in session.findings] == ([] if valid else ["string_not_utf8"])


def test_a_string_that_is_no_utf8_is_reported_at_its_first_wrong_byte() -> None:
    session = Session()
    parse(string(), digits("é".encode() + b"a\xffb\0"), session)
    (finding,) = session.findings
    assert finding.bits == (24, 32)


def test_bytes_reach_to_the_end_of_the_unit_as_a_view() -> None:
    data = bytearray(b"abcd")
    view = bs()._parse(BitReader(data, 8, 24), Scope(Session()), "p")
    data[1] = ord("x")
    assert bytes(view) == b"xc"


def test_reserved_bits_that_are_not_zero_are_reported_and_kept() -> None:
    session = Session()
    structure = Structure("s", "zero" / reserved_zero(3), ByteAlignment())
    assert structure.parse_tree(BitReader(b"\x50"), None, session)["zero"] == 2
    (finding,) = session.findings
    assert (finding.code, finding.requirement, finding.bits) == ("reserved_not_zero", "R-GEN-08", (0, 3))
    assert build(reserved_zero(3), 2) == "010"


def test_reserved_bits_may_be_left_out_of_a_tree_that_is_built() -> None:
    structure = Structure("s", "zero" / reserved_zero(7), "flag" / u(1))
    assert structure.build_bytes({"flag": 1}) == b"\x01"
    with pytest.raises(BuildError, match="flag"):
        structure.build_bytes({"zero": 0})


def test_a_value_against_its_requirement_is_reported_with_its_name() -> None:
    colours = Enumeration("colour", {0: "RED", 1: "GREEN"})
    session = Session()
    structure = Structure("s", "colour" / u(8, must=Must(value <= 1, "scan_order_reserved"), enum=colours))
    assert structure.parse_tree(BitReader(b"\x07"), None, session)["colour"] == 7
    (finding,) = session.findings
    assert finding.code == "scan_order_reserved"
    assert "7 (reserved or unspecified)" in finding.message


def test_a_trace_entry_says_path_first_bit_size_and_value() -> None:
    structure = Structure(
        "outer",
        "count" / ue(1),
        For("j", this.count, "item" / u(3), If(this.j > 0, "more" / i(4, infer=-7))),
        ByteAlignment(),
    )
    tree = {"count": 2, "item": [5, 6], "more": [-7, -2]}
    data = structure.build_bytes(tree)
    session = Session(trace=[])
    assert structure.parse_tree(BitReader(b"\xff" + data, 8), None, session, "unit 3") == tree
    assert session.trace is not None
    assert [(entry.path, entry.first, entry.size, entry.value, entry.inferred) for entry in session.trace] == [
        ("unit 3 · outer · count", 8, 4, 2, False),
        ("unit 3 · outer · item[0]", 12, 3, 5, False),
        ("unit 3 · outer · more[0]", 0, 0, -7, True),
        ("unit 3 · outer · item[1]", 15, 3, 6, False),
        ("unit 3 · outer · more[1]", 18, 4, -2, False),
        ("unit 3 · outer · byte_alignment()", 22, 2, 2, False),
    ]
    assert [entry.name for entry in session.trace][:2] == ["count", "item[0]"]


def test_an_absent_element_has_its_inferred_value_and_is_marked() -> None:
    structure = Structure("s", "flag" / u(8), If(this.flag == 1, "more" / u(8, infer=9), "rest" / u(8)))
    tree = structure.parse_tree(BitReader(b"\x00"))
    assert (tree["more"], tree["_inferred"]) == (9, {"more"})
    assert "rest" not in tree


def test_an_inner_loop_that_runs_no_time_leaves_an_empty_list_at_its_place() -> None:
    structure = Structure("s", For("j", 3, "count" / u(8), For("k", this.count, "item" / u(8))))
    tree = structure.parse_tree(BitReader(bytes([0, 1, 7, 0])))
    assert tree["item"] == [[], [7], []]
    assert structure.build_bytes(tree) == bytes([0, 1, 7, 0])


def test_what_could_be_read_of_a_broken_enclosed_structure_is_kept() -> None:
    inner = Structure("inner", "a" / u(8), "b" / u(8))
    scope = Scope(Session())
    with pytest.raises(BitstreamError):
        Structure("outer", inner())._parse(BitReader(b"\x05"), scope, "")
    assert scope.tree == {"inner": {"a": 5}}
    assert scope["a"] == 5


def test_a_structure_enclosed_under_another_name_has_that_name_in_paths() -> None:
    inner = Structure("inner", "a" / u(8))
    session = Session(trace=[])
    Structure("outer", inner(), "second" / inner).parse_tree(BitReader(b"\x01\x02"), None, session)
    assert session.trace is not None
    assert [entry.path for entry in session.trace] == ["outer · inner · a", "outer · second · a"]


def test_a_value_from_outside_is_traced_once_and_not_inferred_first() -> None:
    structure = Structure("s", "flag" / u(8), If(this.flag == 1, "x" / u(8, infer=0), otherwise=(OutOfBand("x"),)))
    session = Session(trace=[], out_of_band={"x": 4})
    assert structure.parse_tree(BitReader(b"\0"), None, session)["x"] == 4
    assert session.trace is not None
    assert [(entry.name, entry.value, entry.inferred) for entry in session.trace] == [
        ("flag", 0, False),
        ("x", 4, True),
    ]


def test_sizes_are_known_where_the_descriptor_fixes_them() -> None:
    scope = Scope(Session())
    assert [descriptor._sizeof(scope, "") for descriptor in (u(9), i(5), flt(32))] == [9, 5, 32]
    with pytest.raises(BuildError):
        ue(1)._sizeof(scope, "p")


@pytest.mark.parametrize("count", [0, 1, 8, 13])
def test_a_bit_string_is_packed_from_its_first_bit(count: int) -> None:
    bits = "1011001110001"[:count]
    packed = parse(BitString(this.n), bits, n=count)
    assert digits(packed) == bits + "0" * (-count % 8)
    assert build(BitString(this.n), packed, n=count) == bits


def test_a_bit_string_longer_than_the_unit_is_an_overrun_without_being_allocated() -> None:
    assert fault_of(BitString(this.n), "1" * 8, n=(1 << 32) - 1).code == "unit_overrun"


def test_a_tree_source_without_a_structure_says_so() -> None:
    with pytest.raises(BuildError, match="inner"):
        Structure("outer", Structure("inner", "a" / u(8))()).build_tree(TreeSource({}), BitWriter())
