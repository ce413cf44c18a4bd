"""The first place where what a decoder gave is not what the stream holds, as a value.

Stages are asked in the order of decoding: syntax (names and shapes of what is transmitted), levels, dequantized,
tensors. A bin trace goes before levels, since it is nearer to the fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nnr_conformance.adapters import Arrays, Bin
from nnr_conformance.api import ChainDecoder
from nnr_conformance.decoder.tensors import CodedTensor
from nnr_conformance.entropy.scan import block_shape
from nnr_conformance.report.model import excerpt
from nnr_conformance.suite.diff import causes
from nnr_conformance.suite.diff.bins import TracedPayload, index_of, scan_position, traced
from nnr_conformance.suite.diff.entropy import BinDifference, first_weight, from_levels, from_trace
from nnr_conformance.suite.runner.expected import STAGES, Choices, Expectation, chain_of, expected
from nnr_conformance.suite.runner.judgement import bounds
from nnr_conformance.suite.runner.model import Case
from nnr_conformance.suite.runner.numeric import Difference, Kind, differences
from nnr_conformance.suite.runner.sources import source_bytes

SYNTAX = "syntax"
_OTHER_HEADERS = "names or shapes of what is transmitted: a header, or the end of a unit, is read otherwise"
_ALL_BINS = "all bins agree: they are taken for other weights, or for other levels than they code"
_OTHER_WEIGHTS = "the bins agree beyond this weight, so they are taken for other weights: scan order, or skipped rows"
_MISSING = f"{_OTHER_HEADERS}; or its payload could not be decoded, which a trace would show"
NONE = -1


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where a decoder parts from the stream.

    `stage`: syntax, levels, dequantized or tensors. `difference`: of the first tensor that differs there, None where a
    trace shows the fault; `also`: names of the other tensors. `position`: of the first element in the scan of its
    payload, -1 where there is none or it is not known; `element`: that element, which need not be the first one in
    row-major order. `bin`: the first bin that differs. `excerpt`: the bytes around it. `hints`: probable causes.
    """

    stage: str
    difference: Difference | None
    also: tuple[str, ...] = ()
    element: tuple[int, ...] = ()
    position: int = NONE
    bin: BinDifference | None = None
    excerpt: str = ""
    hints: tuple[str, ...] = ()


def localised(
    case: Case, choices: Choices, output: Mapping[str, Arrays], trace: Iterable[Bin] | None = None
) -> Divergence | None:
    """The first divergence, None when everything that is given is as expected.

    `output`: arrays by stage, as far as they are given. Raises UsageError when the trace or a stream cannot be read.
    """
    return _Localiser(case, choices, output, trace, expected(case, choices)).found()


@dataclass(slots=True)
class _Localiser:
    case: Case
    choices: Choices
    output: Mapping[str, Arrays]
    trace: Iterable[Bin] | None
    expectation: Expectation
    _payloads: list[TracedPayload] | None = None
    _coded: dict[str, CodedTensor] = field(default_factory=dict)

    def found(self) -> Divergence | None:
        syntax = self._syntax()
        if syntax is not None and syntax.difference is not None and syntax.difference.kind is not Kind.MISSING:
            return syntax
        # What is missing may be so because its payload could not be decoded, which a trace shows.
        part = None if self.trace is None else from_trace(self._traced(), self.trace)
        if part is not None:
            return self._of_trace(part)
        if syntax is not None:
            return syntax
        for stage in STAGES:
            wanted = self.expectation.stage(stage)
            if wanted is None or stage not in self.output:
                continue
            tolerance = bounds(self.case, self.choices) if stage == "tensors" else None
            every = list(differences(wanted, self.output[stage], tolerance))
            if every:
                return self._divergence(stage, every)
        return None

    def _of_trace(self, part: BinDifference) -> Divergence:
        stage = SYNTAX if {name for name, _, _ in part.differs} & {"unit", "tensor"} else "levels"
        wanted, given = self.expectation.levels, self.output.get("levels")
        first = None
        if stage == "levels" and wanted is not None and given is not None and part.tensor in wanted:
            only = {part.tensor: given[part.tensor]} if part.tensor in given else {}
            first = next(differences({part.tensor: wanted[part.tensor]}, only), None)
        hints = (*self._at_block_row(part), *_of_bin(part))
        element, position = part.weight, part.position
        if first is not None and first.kind is Kind.VALUES and wanted is not None and given is not None:
            found = self._levels(first, (), given[first.tensor], wanted[first.tensor])
            hints += found.hints
            if NONE < found.position < position or NONE == position < found.position:
                # The bins that code this weight are those of the stream.
                element, position, hints = found.element, found.position, (_OTHER_WEIGHTS, *hints)
        return Divergence(stage, first, (), element, position, part, self._excerpt(part), hints)

    def _at_block_row(self, part: BinDifference) -> Iterator[str]:
        """Whether the bin is the first one of a block row but the first."""
        for payload in self._traced():
            if payload.unit != part.unit or part.tensor not in payload.names or not part.weight:
                continue
            coding = payload.codings[payload.names.index(part.tensor)]
            block, _ = block_shape(coding.height, coding.width, coding.scan_order)
            number, row = divmod(part.weight[0], block)
            if number and not row and not any(part.weight[1:]):
                yield f"the first weight of block row {number}: entry point, contexts or interval there"

    def _syntax(self) -> Divergence | None:
        """Transmitted tensors of other names and shapes: the headers were read otherwise."""
        for stage in ("levels", "dequantized"):
            wanted = self.expectation.stage(stage)
            if wanted is None or stage not in self.output:
                continue
            other = [one for one in differences(wanted, self.output[stage]) if one.kind is not Kind.VALUES]
            if other:
                hints = (_MISSING if other[0].kind is Kind.MISSING else _OTHER_HEADERS,)
                return Divergence(SYNTAX, other[0], tuple(one.tensor for one in other[1:]), hints=hints)
        return None

    def _divergence(self, stage: str, every: list[Difference]) -> Divergence:
        first, also = every[0], tuple(one.tensor for one in every[1:])
        if first.kind is not Kind.VALUES:
            return self._other_tensors(stage, first, also)
        given, wanted = self.output[stage][first.tensor], self._wanted(stage)[first.tensor]
        if stage == "levels":
            found = self._levels(first, also, given, wanted)
            return found if self.trace is None else replace(found, hints=(_ALL_BINS, *found.hints))
        self._traced()
        if stage == "dequantized":
            hints = causes.of_values(wanted, given, self._coded.get(first.tensor))
            place = self._place(first.tensor, first.index)
            return Divergence(stage, first, also, first.index, place, hints=tuple(hints))
        return Divergence(stage, first, also, first.index, hints=tuple(self._of_model(first.tensor, given, wanted)))

    def _other_tensors(self, stage: str, first: Difference, also: tuple[str, ...]) -> Divergence:
        """Another set of tensors in the model, where nothing is known of what was transmitted."""
        transmitted = self.expectation.dequantized or {}
        given = self.output[stage]
        if stage == "tensors" and "dequantized" not in self.output and "levels" not in self.output:
            if not any(name in transmitted and name not in self.expectation.tensors for name in given):
                return Divergence(SYNTAX, first, also, hints=("which tensors there are follows from the headers",))
            return Divergence(stage, first, also, hints=("parts are delivered as they were transmitted: not composed",))
        return Divergence(stage, first, also, hints=("what is transmitted agrees: composition of the model",))

    def _levels(self, first: Difference, also: tuple[str, ...], given: Any, wanted: Any) -> Divergence:
        found = self._payload_of(first.tensor)
        if found is None:
            return Divergence("levels", first, also, first.index, hints=tuple(causes.of_levels(wanted, given, None)))
        payload, number = found
        hints = (
            *causes.of_states(payload, number, given),
            *causes.of_skipped_rows(payload, number, given),
            *causes.of_levels(wanted, given, payload.codings[number]),
        )
        # Where a trace shows the bins, none has to be inferred.
        part = from_levels(payload, number, given) if self.trace is None else None
        weight = first_weight(payload, number, given)
        assert weight is not None
        position = scan_position(payload.codings[number], weight)
        text = "" if part is None else self._excerpt(part)
        return Divergence("levels", first, also, index_of(wanted.shape, weight), position, part, text, hints)

    def _of_model(self, name: str, given: Any, wanted: Any) -> Iterator[str]:
        base = self._before()
        yield from causes.of_composition(name, wanted, given, self._coded, base)
        if "dequantized" not in self.output and name in self._coded:
            yield from causes.of_values(wanted, given, self._coded[name])

    def _before(self) -> Mapping[str, Any]:
        """The model that the last stream updates."""
        if not self.case.before:
            return chain_of(self.case, self.choices).base
        chain = chain_of(self.case, self.choices)
        chain.streams = chain.streams[:-1]
        return {tensor.name: tensor.values for tensor in chain}

    def _traced(self) -> list[TracedPayload]:
        if self._payloads is None:
            chain: ChainDecoder = chain_of(self.case, self.choices)
            self._payloads, self._coded = traced(chain)
        return self._payloads

    def _payload_of(self, name: str) -> tuple[TracedPayload, int] | None:
        """The payload of a transmitted tensor and its number there, where it was coded as it is."""
        for payload in self._traced():
            if name in payload.names and len(payload.tensors) == len(payload.codings):
                number = payload.names.index(name)
                quantized, result = payload.tensors[number].quantized, payload.results[number].quantized
                if quantized is not None and quantized.shape == result.shape and (quantized == result).all():
                    return payload, number
        return None

    def _place(self, name: str, index: tuple[int, ...]) -> int:
        found = self._payload_of(name)
        if found is None:
            return NONE
        coding, weight = found[0].codings[found[1]], 0
        for size, at in zip(coding.shape, index, strict=False):
            weight = weight * size + at
        return scan_position(coding, weight) if len(index) == len(coding.shape) else NONE

    def _wanted(self, stage: str) -> Arrays:
        found = self.expectation.stage(stage)
        assert found is not None
        return found

    def _excerpt(self, part: BinDifference) -> str:
        first = part.stream_bit
        data = memoryview(source_bytes(self.case.source))
        return excerpt(data, (first, first + max(1, part.bits[1] - part.bits[0])), around=4)


def _of_bin(part: BinDifference) -> Iterator[str]:
    what = {name for name, _, _ in part.differs}
    if "value" in what and "context" not in what:
        yield "another value with the same context: the state of this context, or the interval, is wrong"
    if "context" in what:
        yield "another context: neighbour, state, base or history that selects it, or what is coded here"
    if what == {"bit"}:
        yield "the bin took another number of bits: interval or range table"
