"""Edits of units: their sizes, order and number, parts and aggregates, and byte edits that keep the frame intact."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

from fuzz.byte_edits import BYTE_EDITS
from fuzz.streams import Corpus, Subject, UnitPlace
from nnr_conformance.encoder.units import build_unit, with_size
from nnr_conformance.syntax.enumerations import AGG, NDU, QNT, TPL

SubjectEdit = Callable[[Random, Subject, Corpus], bytes | None]
"""Gives the changed stream, or None where the stream has nothing that could be edited in this way."""

_TELLING_SIZES = (0, 1, 2, 3, 4, 5, 0x7FFE, 0x7FFF)
_TELLING_LONG_SIZES = (0, 5, 0x7FFF, 0x8001, 0x8002, 1 << 16, (1 << 31) - 1)
_LONG_FORM = 1 << 31


def edit_a_unit(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """A byte edit of a unit's header and payload; its size field counts what is there."""
    place = _any(random, subject.units)
    if place is None:
        return None
    body = _body(subject, place)
    return _replaced(subject, place, random.choice(BYTE_EDITS)(random, body)) if body else None


def edit_a_payload(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """A byte edit of a payload alone, often at its ends, where arithmetic decoding starts and terminates."""
    place = _any(random, [one for one in subject.units if one.payload_first < one.end])
    if place is None:
        return None
    payload = subject.data[place.payload_first : place.end]
    which = random.randrange(4)
    if which == 0:
        payload = random.choice(BYTE_EDITS)(random, payload)
    elif which == 1:
        end = 2 if random.random() < 0.5 else len(payload)
        payload = payload[: end - 2] + random.randbytes(2) + payload[end:]
    elif which == 2:
        payload = random.choice((b"", bytes(len(payload)), b"\xfe" * len(payload), random.randbytes(len(payload))))
    else:
        donor = corpus.any(random)
        other = _any(random, [one for one in donor.units if one.payload_first < one.end])
        payload = payload[::-1] if other is None else donor.data[other.payload_first : other.end]
    header = subject.data[place.first + _field(subject, place) : place.payload_first]
    return _replaced(subject, place, header + payload)


def change_a_size(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """Another nnr_unit_size: telling values, neighbours of the right one, the long form."""
    place = _any(random, subject.units)
    if place is None or place.end - place.first < 3:
        return None
    size, field = place.end - place.first, _field(subject, place)
    near = size + random.choice((-8, -2, -1, 1, 2, 8, len(subject.data)))
    if random.random() < 0.5:
        chosen = max(0, min(0x7FFF, random.choice((near, near, *_TELLING_SIZES))))
        changed = chosen.to_bytes(2, "big")
    else:
        chosen = max(0, random.choice((size, size + 4 - field, near, *_TELLING_LONG_SIZES)))
        changed = (_LONG_FORM | chosen).to_bytes(4, "big")
    return subject.data[: place.first] + changed + subject.data[place.first + field :]


def reorder_units(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """Units swapped, taken out, repeated, or in another order."""
    units = _outer(subject)
    if not units:
        return None
    first, second = random.randrange(len(units)), random.randrange(len(units))
    which = random.randrange(4)
    if which == 0:
        units[first], units[second] = units[second], units[first]
    elif which == 1:
        del units[first]
    elif which == 2:
        units[second:second] = [units[first]] * random.choice((1, 1, 1, 2, 2, 8))
    else:
        random.shuffle(units)
    return b"".join(units)


def splice(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """The first units of one stream and the last ones of another; whole streams make a chain of models."""
    mine, theirs = _outer(subject), _outer(corpus.any(random))
    kept = random.choice((len(mine), random.randint(0, len(mine))))
    left_out = random.choice((0, random.randint(0, len(theirs))))
    return b"".join((*mine[:kept], *theirs[left_out:]))


def travel_in_parts(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """One payload cut into parts that count down; sometimes a part is missing, repeated, or in the wrong place."""
    place = _any(random, [one for one in subject.outer_units if one.unit_type in (TPL, QNT, NDU)])
    if place is None:
        return None
    header = subject.data[place.first + _field(subject, place) : place.payload_first]
    payload = subject.data[place.payload_first : place.end]
    if not header:
        return None
    specific = header[1 + (header[0] & 1) :]
    count = 255 if random.random() < 0.02 else random.choice((1, 2, 2, 3, 5))
    cuts = sorted(random.randint(0, len(payload)) for _ in range(count - 1))
    parts = [
        with_size(bytes([(header[0] & 0xFC) | 1, count - number]) + specific + payload[start:end])
        for number, (start, end) in enumerate(itertools.pairwise([0, *cuts, len(payload)]))
    ]
    which = random.randrange(4)
    at = random.randrange(len(parts))
    if which == 1:
        del parts[at]
    elif which == 2:
        parts.insert(random.randrange(len(parts)), parts[at])
    elif which == 3:
        random.shuffle(parts)
    return subject.data[: place.first] + b"".join(parts) + subject.data[place.end :]


def enclose_units(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """Some units inside an aggregate unit, or several of them one in another."""
    units = _outer(subject)
    if not units:
        return None
    first = random.randrange(len(units))
    count = random.randint(1, min(4, len(units) - first))
    inner = b"".join(units[first : first + count])
    for _ in range(random.choice((1, 1, 1, 2, 8))):
        announced = max(0, count + random.choice((0, 0, 0, 1, -1)) - 2)
        records = bytes(random.choice((announced + 2, announced + 2, 0)))
        inner = with_size(bytes([AGG << 2 | 2, 0, 0]) + announced.to_bytes(2, "big") + records + inner)
        count = 1
    return b"".join((*units[:first], inner, *units[first + count :]))


def insert_a_unit(random: Random, subject: Subject, corpus: Corpus) -> bytes | None:
    """A unit of another kind between two units: topology, quantization, layer parameters, references, reserved."""
    units = _outer(subject)
    units.insert(random.randint(0, len(units)), random.choice(spare_units()))
    return b"".join(units)


UNIT_EDITS: tuple[SubjectEdit, ...] = (
    edit_a_unit,
    edit_a_unit,
    edit_a_payload,
    edit_a_payload,
    change_a_size,
    reorder_units,
    splice,
    travel_in_parts,
    enclose_units,
    insert_a_unit,
)


@cache
def spare_units() -> tuple[bytes, ...]:
    """Small units of every kind that streams of weights alone do not have."""
    return (
        build_unit(_header(0, nnr_start_unit_header={"general_profile_idc": 0})),
        build_unit(_header(0, nnr_start_unit_header={"general_profile_idc": 1})),
        _layer_set(),
        _carried(TPL, 1, 0, b"graph"),
        _carried(TPL, 1, 1, zlib.compress(bytes(4096))),
        _carried(TPL, 4, 1, zlib.compress(zlib.compress(b"x" * 1000))),
        _carried(QNT, 1, 1, zlib.compress(b"table")[:-1]),
        _carried(QNT, 0, 0, b"table"),
        _reference_list("a", "layer.0.weight"),
        _pruning_container(),
        with_size(bytes([63 << 2 | 2]) + b"reserved"),
    )


def _header(unit_type: int, **specific: object) -> dict[str, object]:
    return {
        "nnr_unit_type": unit_type,
        "independently_decodable_flag": 1,
        "partial_data_counter_present_flag": 0,
        **specific,
    }


def _layer_set() -> bytes:
    tree = {
        "lps_sparsification_flag": 0,
        "lps_pruning_flag": 0,
        "lps_unification_flag": 0,
        "lps_quantization_method_flags": 1,
        "lps_qp_density": 2,
        "lps_quantization_parameter": -12,
    }
    return build_unit(_header(2, nnr_layer_parameter_set_unit_header={"lps_self_contained_flag": 0}), tree)


def _carried(unit_type: int, storage: int, compression: int, data: bytes) -> bytes:
    prefix = "topology" if unit_type == TPL else "quantization"
    own = {f"{prefix}_storage_format": storage, f"{prefix}_compression_format": compression}
    return build_unit(_header(unit_type, **{f"nnr_{prefix}_unit_header": own}), {f"{prefix}_data": data})


def _reference_list(*names: str) -> bytes:
    own = {"topology_storage_format": 6, "topology_compression_format": 0}
    tree = {"count_topology_elements_minus2": len(names) - 2, "topology_elem_id_list": list(names)}
    return build_unit(_header(TPL, nnr_topology_unit_header=own), {"topology_elements_ids_list": tree})


def _pruning_container() -> bytes:
    tree = {
        "nnr_rep_type": 0,
        "prune_flag": 1,
        "order_flag": 1,
        "sparse_flag": 0,
        "bit_mask": {"count_bits": 12, "bit_mask_value": b"\xa5\x50"},
    }
    own = {"topology_storage_format": 5, "topology_compression_format": 0}
    return build_unit(_header(TPL, nnr_topology_unit_header=own), {"nnr_pruning_topology_container": tree})


def _any(random: Random, places: Sequence[UnitPlace]) -> UnitPlace | None:
    return random.choice(places) if places else None


def _field(subject: Subject, place: UnitPlace) -> int:
    return 4 if subject.data[place.first] & 0x80 else 2


def _body(subject: Subject, place: UnitPlace) -> bytes:
    return subject.data[place.first + _field(subject, place) : place.end]


def _outer(subject: Subject) -> list[bytes]:
    return [subject.data[place.first : place.end] for place in subject.outer_units]


def _replaced(subject: Subject, place: UnitPlace, body: bytes) -> bytes:
    return subject.data[: place.first] + with_size(body) + subject.data[place.end :]
