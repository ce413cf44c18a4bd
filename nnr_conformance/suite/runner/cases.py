"""The golden streams as cases for any decoder, from the manifest alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.corpus.summary import manifest_rows
from nnr_conformance.suite.runner.model import Case
from nnr_conformance.suite.runner.sources import GOLDEN


@cache
def golden_cases() -> tuple[Case, ...]:
    """A case for each stream, in the order of the manifest. Raises UsageError where the streams are not installed."""
    try:
        return tuple(_case(row) for row in manifest_rows())
    except FileNotFoundError as error:
        raise UsageError(f"the golden streams are not installed: {error}") from error


@cache
def tools_by_source() -> Mapping[str, frozenset[str]]:
    """The coding tools of each golden stream by its source."""
    return MappingProxyType({case.source: frozenset(case.tools) for case in golden_cases()})


@cache
def known_tools() -> frozenset[str]:
    """All coding tools that the manifest names, without those that are editions."""
    return frozenset(tool for case in golden_cases() for tool in case.tools if not tool.startswith("edition "))


def _case(row: Mapping[str, Any]) -> Case:
    return Case(
        id=row["path"].removesuffix(".nnr"),
        source=f"{GOLDEN}{row['path']}",
        kind=row["class"],
        before=tuple(f"{GOLDEN}{path}" for path in row.get("before", ())),
        verdict=row["verdict"],
        codes=tuple(sorted({found["code"] for found in row["diagnostics"]})),
        requirements=tuple(row["requirements"]),
        editions=tuple(row["editions"]),
        tools=tuple(row["tools"]),
        readings=tuple(row["readings"]),
        check=row.get("check", {}),
        digests=row.get("digests", {}),
        reading=row.get("reading", ""),
        under=row.get("under", {}),
    )
