"""Streams of an encoder, just checked: the report, its text, and the tensors when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnr_conformance.api import Decoded, decode
from nnr_conformance.bits import Buffer
from nnr_conformance.checker.check import check
from nnr_conformance.errors import UsageError
from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.readings import DEFAULT_READINGS, Readings
from nnr_conformance.report.formats import UNKNOWN_RUN, renderer
from nnr_conformance.report.model import Report, Verdict

Given = Buffer | str | os.PathLike[str]
"""A stream as its bytes, or as the path of its file."""


@dataclass(frozen=True)
class Checked:
    """Streams that were checked. `report`: of all of them, as `nnr_conformance.check` gives it."""

    report: Report
    streams: tuple[Buffer, ...] = field(repr=False)
    options: Mapping[str, Any] = field(repr=False)

    @property
    def is_conforming(self) -> bool:
        """Whether every stream conforms; one whose verdict is open does not."""
        return self.report.verdict is Verdict.CONFORMING

    @property
    def text(self) -> str:
        """The report as text."""
        return "\n".join(renderer("text")(self.report, UNKNOWN_RUN))

    @cached_property
    def decoded(self) -> Decoded:
        """All that decoding gives: tensors, levels, quantization parameters, digests."""
        return decode(self.streams, **self.options)

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """The model after the last stream, arrays by name; decoded when it is asked for."""
        return self.decoded.tensors


def checked(
    streams: Sequence[Given],
    *,
    base: Mapping[str, NDArray[Any]] | None = None,
    readings: Readings | Iterable[str] | Mapping[str, str] = DEFAULT_READINGS,
    limits: Limits = DEFAULT_LIMITS,
    strict: bool = False,
    out_of_band: Mapping[str, Any] | None = None,
    edition: int | None = None,
) -> Checked:
    """Check a model and its updates in order; options as for `nnr_conformance.check`.

    Raises UsageError for a file that cannot be read, and for arguments that make no sense.
    """
    contents = tuple(map(_content, streams))
    names = [_name(stream, number) for number, stream in enumerate(streams)]
    chosen = readings if isinstance(readings, Readings) else Readings.choose(readings)
    options: dict[str, Any] = {
        "base": base,
        "readings": chosen,
        "limits": limits,
        "strict": strict,
        "out_of_band": out_of_band,
    }
    return Checked(check(contents, names=names, edition=edition, **options), contents, options)


def _content(stream: Given) -> Buffer:
    if not isinstance(stream, (str, os.PathLike)):
        return stream
    try:
        return Path(stream).read_bytes()
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {stream}: {error}") from error


def _name(stream: Given, number: int) -> str:
    return Path(stream).name if isinstance(stream, (str, os.PathLike)) else f"stream {number}"
