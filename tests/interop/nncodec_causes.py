"""Which divergence of NNCodec is behind what it says or finds, and what gets it over the place: a table of rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nnr_conformance.data import load_yaml
from tests.interop.nncodec_ways import INTEGER, LAYER, MODELS, PARTS, RAW, Way

Remedy = Callable[[Way], Way]

LOWEST, NAMED = "parent of -2^31", "no factor named as one"
"""Count as tools of a stream."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What this package finds in a stream: whether it accepts it, types of units, tools, codes of findings."""

    accepted: bool
    units: tuple[str, ...]
    tools: frozenset[str]
    codes: frozenset[str]

    @classmethod
    def of(cls, message: Mapping[str, Any]) -> Facts:
        """From plain data."""
        return cls(
            message["accepted"], tuple(message["units"]), frozenset(message["tools"]), frozenset(message["codes"])
        )


@dataclass(frozen=True, slots=True)
class Cause:
    """A divergence that shows in what NNCodec says (a pattern) about a stream with all these tools, codes or units.

    `remedies`: ways around it, of which the first that was not tried is next.
    """

    divergence: str
    says: str = ""
    with_all: frozenset[str] = frozenset()
    remedies: tuple[Remedy, ...] = ()

    def fits(self, facts: Facts, said: str) -> bool:
        """Whether this is a cause."""
        return self.with_all <= {*facts.tools, *facts.codes, *facts.units} and bool(re.search(self.says, said))

    def is_behind(self, way: Way) -> bool:
        """Whether a way gets around it."""
        return any(remedy(way) == way for remedy in self.remedies)


def _out(unit: str) -> Remedy:
    return lambda way: way.taking_out(unit)


def _help(place: str) -> Remedy:
    return lambda way: way.helping(place)


def _all(*names: str) -> frozenset[str]:
    return frozenset(names)


CAUSES = (
    # Units that it does not know
    Cause("D-15", "NNR_AGG Units not yet", remedies=(_out("NNR_AGG"),)),
    Cause("D-15", "NNR_LPS Units not yet", remedies=(_out("NNR_QNT"),)),
    Cause("D-14", "'lps_decomposition_performance_map_flag'", remedies=(_help(LAYER), _out("NNR_LPS"))),
    Cause("D-14", "'lps_q", _all("NNR_LPS"), (_out("NNR_LPS"),)),
    Cause("D-14", "KeyError in rec", _all("NNR_LPS")),
    Cause("D-21", "(NNEF|ONNX|PRUN) Topology|Pruning Topology", remedies=(_out("NNR_TPL"),)),
    Cause("D-44", "REFLIST Topology", remedies=(_out("NNR_TPL"),)),
    Cause("D-22", "UnicodeDecodeError", _all("NNR_TPL"), (_out("NNR_TPL"),)),
    Cause("D-22", "UnicodeDecodeError", _all("NNR_QNT"), (_out("NNR_QNT"),)),
    Cause("D-22", "decode_nnr_tpl_unit: nnr_unit_size", _all("NNR_TPL"), (_out("NNR_TPL"),)),
    Cause("D-13", "nnr_unit_type: 0 ", remedies=(_help(MODELS),)),
    Cause("D-16", "nnr_unit_type: [1-9]"),
    Cause("D-17", "partial_data_counter not", remedies=(_help(PARTS),)),
    # Parameter sets
    Cause("D-26", "negative dimensions"),
    Cause("D-27", "IndexError in unification_performance_map|AssertionError in decode_nnr_mps", _all("NNR_MPS")),
    Cause("D-34", "in decode: 'dq_flag'", remedies=(_help(INTEGER),)),
    # Input parameters
    Cause("D-31", "topology elements does not match"),
    Cause("D-32", "KeyError in compile_ndu_oob_from_dict"),
    Cause("D-32", "buffer is smaller", _all("out_of_band_conflict")),
    Cause("D-52", "^levels|^dequantized|Terminating Bin", _all("dimension_shift_set")),
    Cause("D-75", "Unexpected (device|parameter)_id|'device_id'|: put_node_depth|boolean index"),
    # Payloads, blocks
    Cause("D-37", "slice indices", _all("raw float"), (_help(RAW),)),
    Cause("D-37", "in get: 'dq_flag'"),
    Cause("D-42", "topology_tensor_dimension_mapping|Tensor Split"),
    Cause("D-48", "Terminating Bin", _all(NAMED)),
    Cause("D-49", "Preceding NDU contained", remedies=(_help(MODELS),)),
    Cause("D-49", "'_decomposed_tensor_type'|'weight_param'"),
    Cause("D-58", "Terminating Bin", _all("variant_nnc1.0")),
    Cause("D-65", "^levels.* -?2147483647", _all("dependent quantization")),
    Cause("D-66", "Terminating Bin|^levels", _all("temporal contexts", LOWEST)),
    Cause("D-73", "^MemoryError|^SIGFPE"),
    Cause("D-67", "KeyError in decode: |^dequantized.* is int32", _all("decomposition", "codebook", "block")),
    Cause("D-68", "nnr_unit_size|buffer is smaller", _all("decomposition", "raw float")),
)


def causes(facts: Facts, said: str) -> Iterator[Cause]:
    """The causes of what NNCodec says or finds, in the order of the table."""
    return (cause for cause in CAUSES if cause.fits(facts, said))


def next_ways(facts: Facts, way: Way, said: str) -> Iterator[Way]:
    """The ways that a message leaves to try; what is wrong with a stream may be in units taken out or parts joined."""
    for cause in causes(facts, said):
        for remedy in cause.remedies:
            after = remedy(way)
            if after != way and (facts.accepted or not (after.without or PARTS in after.helped)):
                yield after


def by_code() -> Mapping[str, list[str]]:
    """The divergences that show in a finding of this package, by its code."""
    found: dict[str, list[str]] = {}
    for row in load_yaml("spec/divergences.yaml"):
        for code in row["codes"]:
            found.setdefault(code, []).append(row["id"])
    return found


def unfollowed(readings: Mapping[str, str]) -> list[str]:
    """Readings of which NNCodec 2.1.3 follows another choice than the given one."""
    rows = {row["id"]: row["follows"] for row in load_yaml("spec/readings.yaml")}
    return [
        name
        for name, choice in readings.items()
        if any("2.1.3" in who for who in rows[name].values()) and "2.1.3" not in rows[name].get(choice, "")
    ]
