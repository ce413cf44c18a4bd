"""The Python API: bytes in, tensors and a report out. No files, no printing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.bits import Buffer
from nnr_conformance.decoder.compressed_data import DataDecoder, decode_compressed_data
from nnr_conformance.decoder.digests import StageDigests
from nnr_conformance.decoder.how import FreeElements, PayloadObserver, UnitDecoder
from nnr_conformance.decoder.model import (
    Composer,
    CompositionCheck,
    NamedTensor,
    Parents,
    in_format,
    transmitted,
    updated,
)
from nnr_conformance.decoder.steps import Schedule, in_order
from nnr_conformance.decoder.stream import StreamDecoder
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.decoder.update_tree import UpdateTree
from nnr_conformance.diagnostics import Diagnostic, Findings
from nnr_conformance.entropy import Execution, choose_execution
from nnr_conformance.errors import UsageError
from nnr_conformance.framing import holds_several_models
from nnr_conformance.limits import DEFAULT_LIMITS, Limits
from nnr_conformance.readings import DEFAULT_READINGS, Readings
from nnr_conformance.scope import TraceEntry
from nnr_conformance.syntax.unit_parser import Unit

Streams = Buffer | Sequence[Buffer]


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """The result of `decode`.

    `tensors`: the model by tensor name, or the transmitted tensors of the last stream. `levels`: int32 quantized
    parameters of the last stream's transmitted tensors; `qp`: their quantization parameters. `digests`: SHA-256 by
    stage of the last stream (see `decoder.digests`). `diagnostics`: those of all streams in order.
    """

    tensors: dict[str, NDArray[Any]]
    levels: dict[str, NDArray[np.int32]]
    qp: dict[str, int]
    digests: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]


@dataclass(slots=True)
class ChainDecoder:
    """Decodes a chain of streams: a model, then its updates in order. Iterating gives the tensors of the last one.

    `base`: the model that the first stream updates, by name. `transmitted_only`: the tensors of the last stream as they
    were transmitted, nothing composed or added. `wanted`: only tensors of these names. `on_progress`: called with the
    number of bytes done. `on_unit`: called with the number of the stream, each parsed unit and its trace; `on_decoded`:
    with the number and each decoded unit. `on_read`: with the number of bytes behind which is what is read next; it
    goes back where a stream is gone through again. `disabled`: codes that are not reported. `digesting`: make the
    digests of the stages, which reads every byte of the streams and of the tensors; without it only what is wanted is
    read. `decode_data`: what becomes of each compressed data unit (see `decoder.stream`). `threads`: how many payloads
    are decoded at a time. `with_levels`: decoded units have the levels of their tensors; without and without digests
    less memory is taken. After the iteration `decoders` has one decoder for each stream; findings are in `findings`,
    one for each stream.
    """

    streams: tuple[memoryview, ...]
    base: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    transmitted_only: bool = False
    wanted: frozenset[str] | None = None
    readings: Readings = DEFAULT_READINGS
    limits: Limits = DEFAULT_LIMITS
    strict: bool = False
    compiled: bool | None = None
    out_of_band: Mapping[str, Any] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    digesting: bool = True
    decode_data: DataDecoder = decode_compressed_data
    threads: int = 1
    with_levels: bool = True
    decoders: list[StreamDecoder] = field(default_factory=list)
    findings: list[Findings] = field(default_factory=list)
    digests: list[StageDigests] = field(default_factory=list)
    on_progress: Callable[[int], None] | None = None
    on_unit: Callable[[int, Unit, Sequence[TraceEntry]], None] | None = None
    on_payload: PayloadObserver | None = None
    on_decoded: Callable[[int, DecodedUnit], None] | None = None
    on_read: Callable[[int], None] | None = None

    def __iter__(self) -> Iterator[NamedTensor]:
        for tensor, unit in self.tensors_with_units():
            del unit  # whoever iterates may free the tensor before the next one is decoded
            yield tensor
            del tensor

    def tensors_with_units(self) -> Iterator[tuple[NamedTensor, DecodedUnit | None]]:
        """The tensors of the last stream, each with the unit that completed it (None: unchanged by the stream)."""
        model = Parents(self.base, dict.fromkeys(self._pick(self.base)))
        tree = UpdateTree()
        last = len(self.streams) - 1
        for number, stream in enumerate(self.streams[:-1]):
            decoder = self._decoder(stream, tree, number)
            if self.transmitted_only:
                for _ in self._units(decoder):
                    """Only the levels matter, which the tree keeps."""
                continue
            for tensor, _ in self._composed(decoder, model):
                model.keep(tensor, decoder.findings)
        decoder = self._decoder(self.streams[last], tree, last)
        if self.transmitted_only:
            for unit in self._units(decoder):
                for tensor in transmitted(unit, decoder.findings):
                    if self.wanted is None or tensor.name in self.wanted:
                        yield tensor, unit
                    del tensor
                del unit
            return
        chained = decoder.how.keep_levels
        for tensor, origin in self._composed(decoder, model):
            if chained:
                model.keep(tensor, decoder.findings)
            else:
                model.forget(tensor.name)
                if self.wanted is None or tensor.name in self.wanted:
                    yield in_format(tensor, decoder.findings), origin
            del tensor, origin
        for tensor in model.rest():
            if self.wanted is None or tensor.name in self.wanted:
                yield tensor, None
            del tensor

    def units(self) -> Iterator[tuple[int, DecodedUnit]]:
        """Every decoded unit of every stream with the number of its stream; checked for composition, nothing kept."""
        tree = UpdateTree()
        composition = CompositionCheck(self.limits, Parents(self.base, dict.fromkeys(self.base)))
        for number, stream in enumerate(self.streams):
            decoder = self._decoder(stream, tree, number)
            composition.begin(decoder.findings)
            for unit in self._units(decoder):
                composition.add(unit)
                yield number, unit
                del unit
            composition.finish()

    def _pick(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if self.wanted is None or name in self.wanted]

    def _decoder(self, stream: memoryview, tree: UpdateTree, number: int) -> StreamDecoder:
        last = number == len(self.streams) - 1
        before = sum(len(one) for one in self.streams[:number])

        def read(first: int) -> None:
            if self.on_read is not None:
                self.on_read(before + first)

        how = UnitDecoder(
            self.readings,
            self.limits,
            self.compiled,
            work_bits=8 * sum(len(one) for one in self.streams),
            keep_levels=not last or holds_several_models(stream, self.compiled is not False, read),
            given_parents=frozenset(self.base),
            free_elements=FreeElements(self.limits.free_elements),
            on_payload=self.on_payload,
            threads=self.threads,
            with_levels=self.with_levels or self.digesting,
        )
        digests = StageDigests()

        def observe(unit: Unit, trace: Sequence[TraceEntry]) -> None:
            if self.digesting:
                digests.add_unit(stream, unit, trace)
            if self.on_unit is not None:
                self.on_unit(number, unit, trace)
            if self.on_progress is not None:
                self.on_progress(before + unit.first)
            read(unit.first)

        findings = Findings(self.strict, disabled=self.disabled)
        decoder = StreamDecoder(
            stream,
            how,
            findings,
            tree,
            self.wanted,
            self.out_of_band,
            self.decode_data,
            self._schedule(how, findings),
            observe,
            self.digesting or self.on_unit is not None,
        )
        self.decoders.append(decoder)
        self.findings.append(decoder.findings)
        self.digests.append(digests)
        return decoder

    def _schedule(self, how: UnitDecoder, findings: Findings) -> Schedule:
        if self.compiled is False or self.decode_data is not decode_compressed_data:
            return in_order
        if self.compiled is None and choose_execution(how.work_bits or 0)[0] is Execution.INTERPRETED:
            return in_order
        from nnr_conformance.decoder.threads import ahead  # noqa: PLC0415 - short work starts sooner without it

        return ahead(self.threads, findings)

    def _units(self, decoder: StreamDecoder) -> Iterator[DecodedUnit]:
        digests = self.digests[-1]
        for unit in decoder:
            if self.digesting:
                digests.add_tensors(unit)
            if self.on_decoded is not None:
                self.on_decoded(len(self.decoders) - 1, unit)
            yield unit
            del unit

    def _composed(self, decoder: StreamDecoder, model: Parents) -> Iterator[tuple[NamedTensor, DecodedUnit | None]]:
        """The composed tensors of a stream, added to their parents in `model`, which loses them."""
        composer = Composer(decoder.findings, self.limits)
        for unit in self._units(decoder):
            for tensor in composer.add(unit):
                yield updated(tensor, model, decoder.findings), unit
                del tensor
            del unit
        for tensor in composer.finish():
            yield updated(tensor, model, decoder.findings), None


def decode(
    data: Streams,
    *,
    transmitted: bool = False,
    base: Mapping[str, NDArray[Any]] | None = None,
    tensors: Iterable[str] | None = None,
    readings: Readings | Iterable[str] | Mapping[str, str] = DEFAULT_READINGS,
    limits: Limits = DEFAULT_LIMITS,
    strict: bool = False,
    compiled: bool | None = None,
    threads: int | None = None,
    out_of_band: Mapping[str, Any] | None = None,
) -> Decoded:
    """Decode a stream, or a chain of streams (a model, then its updates in order).

    `data`: bytes-like, or a sequence of them. `transmitted`: the tensors of the last stream just as transmitted and
    dequantized, instead of the usable model. `base`: the model that the first stream updates. `tensors`: only these
    names. `readings`: a `Readings`, or ``ID=NAME`` strings. `compiled`: force the execution of the entropy decoder.
    `threads`: how many payloads are decoded at a time, None for the number of cores; the result is the same.
    `out_of_band`: parameters that the streams leave to the application, by tensor name: tensor_dimensions,
    cabac_unary_length_minus1, compressed_parameter_types, decomposition_rank, g_number_of_rows.

    Tensors are float32, int32 for NNR_PT_INT, or the format that the stream signals. What is wrong with a stream is in
    the diagnostics, never an exception; UsageError is for arguments that make no sense.
    """
    chain = chain_decoder(
        data,
        transmitted=transmitted,
        base=base,
        tensors=tensors,
        readings=readings,
        limits=limits,
        strict=strict,
        compiled=compiled,
        threads=threads,
        out_of_band=out_of_band,
    )
    levels: dict[str, NDArray[np.int32]] = {}
    qp: dict[str, int] = {}

    def remember(number: int, unit: DecodedUnit) -> None:
        if number < len(chain.streams) - 1:
            return
        for coded in unit.tensors:
            if coded.quantized is not None:
                levels[coded.name] = coded.quantized
            if coded.qp is not None:
                qp[coded.name] = coded.qp

    chain.on_decoded = remember
    delivered = {tensor.name: tensor.values for tensor in chain}
    return Decoded(
        delivered,
        levels,
        qp,
        chain.digests[-1].hexdigests(delivered),
        tuple(diagnostic for findings in chain.findings for diagnostic in findings),
    )


def chain_decoder(
    data: Streams,
    *,
    transmitted: bool = False,
    base: Mapping[str, NDArray[Any]] | None = None,
    tensors: Iterable[str] | None = None,
    readings: Readings | Iterable[str] | Mapping[str, str] = DEFAULT_READINGS,
    limits: Limits = DEFAULT_LIMITS,
    strict: bool = False,
    compiled: bool | None = None,
    threads: int | None = None,
    out_of_band: Mapping[str, Any] | None = None,
) -> ChainDecoder:
    """A decoder to iterate over, which gives tensors one by one; arguments as for `decode`."""
    if threads is not None and threads < 1:
        raise UsageError(f"{threads} threads")
    return ChainDecoder(
        streams=as_views(data),
        base={} if base is None else base,
        transmitted_only=transmitted,
        wanted=None if tensors is None else frozenset(tensors),
        readings=readings if isinstance(readings, Readings) else Readings.choose(readings),
        limits=limits,
        strict=strict,
        compiled=compiled,
        threads=cores() if threads is None else threads,
        out_of_band={} if out_of_band is None else out_of_band,
    )


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def as_views(data: Streams) -> tuple[memoryview, ...]:
    """The streams as views of bytes. Raises UsageError for anything else than bytes-like objects."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        data = (data,)
    streams = tuple(data) if isinstance(data, Iterable) else ()
    if not streams or not all(isinstance(stream, (bytes, bytearray, memoryview)) for stream in streams):
        raise UsageError("a stream is a bytes-like object, or several of them in a sequence")
    return tuple(memoryview(stream).cast("B") for stream in streams)
