"""Edits of single syntax elements, found by parsing: bits overwritten, or a code replaced by that of another value.

Bits overwritten in place keep every other element where it is as long as the code keeps its length. An Exp-Golomb code
of another value mostly has another length: the rest of the header moves, and byte_alignment() takes up the difference,
so that the payload is the same and only the one value differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from fuzz.streams import Corpus, Subject, UnitPlace
from fuzz.unit_edits import SubjectEdit
from nnr_conformance.bits import BitReader, BitWriter
from nnr_conformance.descriptors import SignedExpGolomb, String, UnsignedExpGolomb
from nnr_conformance.encoder.units import with_size
from nnr_conformance.scope import SEPARATOR, TraceEntry

_TELLING_VALUES = (0, 1, 2, 3, 63, 64, 255, 256, 1023, 1 << 16, (1 << 31) - 1, 1 << 31, (1 << 32) - 2)


def overwrite_an_element(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """Another value in the same bits: an extreme, a neighbour, a random one."""
    if not subject.elements:
        return None
    entry = random.choice(subject.elements)
    most = (1 << entry.size) - 1
    bits = BitReader(subject.data, entry.first).bits(entry.size)
    near = (bits + random.choice((-1, 1))) & most
    chosen = random.choice((0, most, 1, most >> 1, 1 << (entry.size - 1), near, near, random.randint(0, most)))
    return overwritten(subject.data, entry.first, entry.size, chosen)


def overwrite_several_elements(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """Two to four elements of the same stream with random values."""
    if not subject.elements:
        return None
    data = subject.data
    for _ in range(random.randint(2, 4)):
        entry = random.choice(subject.elements)
        data = overwritten(data, entry.first, entry.size, random.getrandbits(entry.size))
    return data


def recode_an_element(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """Another value of an Exp-Golomb coded element, or another string, in a unit that is otherwise the same."""
    choices = list(_recodable(subject))
    if not choices:
        return None
    place, entry, aligned = random.choice(choices)
    writer = BitWriter()
    if isinstance(entry.descriptor, String):
        _write_text(random, writer)
    else:
        _write_value(random, writer, entry)
    code_bits = writer.position
    writer.bits(0, -writer.position % 8)
    code = int.from_bytes(writer.getvalue(), "big") >> (-code_bits % 8)
    field = 4 if subject.data[place.first] & 0x80 else 2
    reader = BitReader(subject.data, 8 * (place.first + field))
    before = entry.first - reader.position
    head = reader.bits(before)
    behind = aligned.first - entry.first - entry.size
    reader.position = entry.first + entry.size
    tail = reader.bits(behind)
    size = before + code_bits + behind
    alignment = 8 - size % 8
    number = ((((head << code_bits) | code) << behind | tail) << 1 | 1) << (alignment - 1)
    body = number.to_bytes((size + alignment) // 8, "big")
    rest = subject.data[(aligned.first + aligned.size) >> 3 : place.end]
    return subject.data[: place.first] + with_size(body + rest) + subject.data[place.end :]


def overwritten(data: bytes, first: int, size: int, value: int) -> bytes:
    """The data with `size` bits from bit `first` on replaced by the bits of `value`."""
    first_byte, end_byte = first >> 3, (first + size + 7) >> 3
    behind = 8 * end_byte - first - size
    window = int.from_bytes(data[first_byte:end_byte], "big")
    window = (window & ~(((1 << size) - 1) << behind)) | (value << behind)
    return data[:first_byte] + window.to_bytes(end_byte - first_byte, "big") + data[end_byte:]


ELEMENT_EDITS: tuple[SubjectEdit, ...] = (overwrite_an_element, recode_an_element, overwrite_several_elements)


def _recodable(subject: Subject) -> Iterator[tuple[UnitPlace, TraceEntry, TraceEntry]]:
    """Elements whose code may change its length, each with its unit and the alignment that follows it in the unit."""
    places = {place.label: place for place in subject.units}
    pending: list[TraceEntry] = []
    for entry in subject.elements:
        label = entry.path.split(SEPARATOR, 1)[0]
        if pending and not pending[0].path.startswith(f"{label} "):
            pending.clear()
        if entry.name == "byte_alignment()":
            for one in pending:
                yield places[label], one, entry
            pending.clear()
        elif isinstance(entry.descriptor, (UnsignedExpGolomb, String)):
            pending.append(entry)


def _write_value(random: Random, writer: BitWriter, entry: TraceEntry) -> None:
    order = entry.descriptor.order if isinstance(entry.descriptor.order, int) else random.randint(0, 15)
    value = random.choice((entry.value + 1, entry.value - 1, entry.value * 2, random.choice(_TELLING_VALUES)))
    if isinstance(entry.descriptor, SignedExpGolomb):
        value = random.choice((value, -value))
        value = 2 * value - 1 if value > 0 else -2 * value
    writer.exp_golomb(max(0, value), order)


def _write_text(random: Random, writer: BitWriter) -> None:
    texts = (b"", b"a", b"layer_G", b"layer_H", b"x" * 300, b"\xff\xfe", "\u00e9\u4e16\U0001f600".encode(), b"../../x")
    writer.aligned_bytes(random.choice(texts) + b"\0")
