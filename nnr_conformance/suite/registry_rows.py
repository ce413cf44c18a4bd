"""The rows of the registry as values: requirements (clauses 5 to 10) and divergences, with the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from nnr_conformance.data import load_yaml
from nnr_conformance.syntax.semantics import GROUPS as SEMANTICS_FILES

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Requirements that speak of one thing: the letters in their ids, the file that holds them, and the thing."""

    letters: str
    file: str
    title: str


GROUPS = (
    Group("GEN", "descriptors", "descriptors, alignment"),
    Group("UNIT", "units", "units, spread data"),
    Group("ORD", "order", "order and composition"),
    Group("STR", "start_unit", "start unit"),
    Group("MPS", "model_parameter_set", "model parameter set"),
    Group("PM", "performance_maps", "performance maps"),
    Group("LPS", "layer_parameter_set", "layer parameter set"),
    Group("TPL", "topology", "topology unit"),
    Group("REF", "reference_list", "reference list"),
    Group("PRUN", "pruning", "pruning topology container"),
    Group("QNT", "quantization_unit", "quantization unit"),
    Group("AGG", "aggregate_unit", "aggregate unit"),
    Group("NDU", "compressed_data_unit", "compressed data unit"),
    Group("DIM", "dimension_mapping", "dimension mapping"),
    Group("CB", "codebook", "codebook quantization"),
    Group("EP", "entropy_coding", "entry points"),
    Group("AC", "entropy_coding", "arithmetic-coded payload"),
    Group("QP", "entropy_coding", "quantization parameters"),
    Group("ED2", "updates", "edition 2: updates"),
    Group("EC", "payload_checks", "checks of payloads"),
    Group("RC", "reconstruction_checks", "checks of values"),
    Group("HL", "peculiarities", "peculiarities of a codec"),
)
"""In the order of `spec/requirements`; the files in their order are `REQUIREMENT_FILES`."""

REQUIREMENT_FILES = tuple(dict.fromkeys(group.file for group in GROUPS))


class Status(Enum):
    """What the suite does about a requirement."""

    CHECKED = "checked"
    DECODER_OBSERVABLE = "decoder-observable"
    OPEN = "open"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement. `clause`: top level, 5 to 10. `editions`: those whose syntax it is about, 1 and 2.

    `strength`: shall, should or info. `stage`: framing, syntax, semantics, entropy, reconstruction or limits.
    `evidence`: tags S, P1, P2, R, D; `source` says more of where it comes from. `confidence`: high, medium or low.
    `reason`: why it is excluded, empty otherwise.
    """

    id: str
    text: str
    clause: int
    editions: tuple[int, ...]
    strength: str
    stage: str
    evidence: tuple[str, ...]
    confidence: str
    status: Status
    source: str = ""
    reason: str = ""

    @property
    def letters(self) -> str:
        """The group's letters, such as NDU in R-NDU-26."""
        return self.id.split("-")[1]


@dataclass(frozen=True, slots=True)
class Divergence:
    """What a public codec does that a reader of its streams must know.

    `versions`: of NNCodec. `verdict`: accept, flag or reject. `checker`: what this package does. `stream`: one below
    `bitstreams/` that shows it, or None.
    """

    id: str
    text: str
    versions: tuple[str, ...]
    verdict: str
    checker: str
    requirements: tuple[str, ...]
    readings: tuple[str, ...]
    stream: str | None


@dataclass(frozen=True, slots=True)
class SpecRows:
    """The rows of the YAML files as they were parsed, by what they are and, where there are several files, by file."""

    requirements: Mapping[str, Sequence[Row]]
    divergences: Sequence[Row]
    readings: Sequence[Row]
    diagnostics: Sequence[Row]
    semantics: Mapping[str, Sequence[Row]]
    tools: Sequence[Row]


def spec_rows() -> SpecRows:
    """Everything in `spec/` that speaks of requirements."""
    return SpecRows(
        requirements={name: load_yaml(f"spec/requirements/{name}.yaml") for name in REQUIREMENT_FILES},
        divergences=load_yaml("spec/divergences.yaml"),
        readings=load_yaml("spec/readings.yaml"),
        diagnostics=load_yaml("spec/diagnostics.yaml"),
        semantics={name: load_yaml(f"spec/semantics/{name}.yaml") for name in SEMANTICS_FILES},
        tools=load_yaml("spec/tools.yaml"),
    )


@cache
def load_requirements() -> Mapping[str, Requirement]:
    """All requirements by id, in the order of `GROUPS`."""
    rows = (row for name in REQUIREMENT_FILES for row in load_yaml(f"spec/requirements/{name}.yaml"))
    return {row["id"]: _requirement(row) for row in rows}


@cache
def load_divergences() -> Mapping[str, Divergence]:
    """All divergences by id, in the order of the file."""
    return {row["id"]: _divergence(row) for row in load_yaml("spec/divergences.yaml")}


def _requirement(row: Row) -> Requirement:
    return Requirement(
        id=row["id"],
        text=row["text"],
        clause=row["clause"],
        editions=(1, 2) if row["edition"] == "both" else (row["edition"],),
        strength=row["strength"],
        stage=row["stage"],
        evidence=tuple(row["evidence"]),
        confidence=row["confidence"],
        status=Status(row["status"]),
        source=row.get("source", ""),
        reason=row.get("reason", ""),
    )


def _divergence(row: Row) -> Divergence:
    return Divergence(
        id=row["id"],
        text=row["text"],
        versions=tuple(row["versions"]),
        verdict=row["verdict"],
        checker=row["checker"],
        requirements=tuple(row["requirements"]),
        readings=tuple(row["readings"]),
        stream=row["stream"],
    )
