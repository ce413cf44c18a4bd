"""Units from trees: the inverse of `syntax.unit_parser`, with nnr_unit_size computed (clause 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nnr_conformance.bits import BitWriter
from nnr_conformance.errors import BuildError
from nnr_conformance.readings import DEFAULT_READINGS, Readings
from nnr_conformance.scope import Scope, Session, TreeSource
from nnr_conformance.syntax.enumerations import unit_type_name
from nnr_conformance.syntax.unit_parser import PAYLOADS, initial_state, is_part, part_of_payload, unknown_payload
from nnr_conformance.syntax.units import nnr_unit_header

SHORT_FORM_LIMIT = 1 << 15


def build_unit(
    header: Mapping[str, Any],
    payload: Mapping[str, Any] | None = None,
    state: Mapping[str, Any] | None = None,
    *,
    long_form: bool | None = None,
    out_of_band: Mapping[str, Any] | None = None,
) -> bytes:
    """The bytes of one unit.

    `header`: tree of nnr_unit_header with the type-specific header inside; `payload`: tree of the payload structure;
    reserved elements may be left out. `state`: values of names that come from other units, such as
    general_profile_idc, on top of `initial_state`. `long_form`: None takes the short size field where it suffices.
    Raises BuildError.
    """
    writer = BitWriter()
    session = Session(out_of_band=out_of_band or {})
    names = Scope(session, {**initial_state(DEFAULT_READINGS), **(state or {})})
    label = unit_type_name(header["nnr_unit_type"])
    nnr_unit_header._build(TreeSource(header), writer, names, label)
    whole = PAYLOADS.get(names.tree["nnr_unit_type"], unknown_payload)
    structure = part_of_payload if is_part(names.tree) else whole
    structure._build(TreeSource(payload or {}), writer, Scope(session, names), label)
    return with_size(writer.getvalue(), long_form)


def with_size(body: bytes, long_form: bool | None = None) -> bytes:
    """A unit's header and payload behind the size field that counts them. Raises BuildError when it cannot."""
    short = len(body) + 2 < SHORT_FORM_LIMIT
    if long_form is False and not short:
        raise BuildError(f"{len(body)} bytes do not fit the short form of nnr_unit_size")
    if short and not long_form:
        return (len(body) + 2).to_bytes(2, "big") + body
    return (1 << 31 | len(body) + 4).to_bytes(4, "big") + body


def state_for(profile: int = 1, readings: Readings = DEFAULT_READINGS, **names: Any) -> dict[str, Any]:
    """State for `build_unit`: the profile, the names given, and readings other than the default."""
    return {**initial_state(readings), "general_profile_idc": profile, **names}


def build_stream(units: Iterable[bytes]) -> bytes:
    """Units one after the other."""
    return b"".join(units)
