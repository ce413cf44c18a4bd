"""What the call asked of each proposal: size, accuracy before and after, partial decoding, and a smaller network.

Every figure starts from the bytes of a stream and decodes them. What the pipelines meant is only compared with that.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.api import chain_decoder, decode
from nnr_conformance.entropy import compiled_available
from nnr_conformance.errors import BuildError
from nnr_conformance.report.model import StreamReport, UnitRow
from nnr_conformance.suite.cfp2019.footprint import Footprint, footprint, tools
from nnr_conformance.suite.cfp2019.measures import accuracy, right_answers
from nnr_conformance.suite.cfp2019.networks import NETWORKS, Network, Tensors, trained
from nnr_conformance.suite.cfp2019.pipelines import GoldenStream
from nnr_conformance.suite.cfp2019.reductions import parameters
from nnr_conformance.syntax.enumerations import QNT

FLOAT_BYTES = 4
HEADS = frozenset({"NNR_STR", "NNR_MPS"})


@dataclass(frozen=True, slots=True)
class PartialDecoding:
    """One layer decoded without the others. `read`: bytes of headers that were looked at and of units that were
    decoded; `agrees`: the same tensors as from the whole stream."""

    layer: str
    read: int
    agrees: bool


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A row of the table.

    `size`: bytes of the chain up to this stream. `before`, `after`: share of right answers, or the mean squared error
    of an autoencoder; `right`: number of right answers, None for an autoencoder. `parameters`: of the network that a
    decoder can run, pruned or in factors; `parameters_before`: of the trained one. `shown`: ids of the tools of
    `spec/tools.yaml` that its proposal has and that the stream shows. `witnesses`: who agrees on what it decodes to.
    """

    name: str
    proposal: str
    network: str
    size: int
    before: float
    after: float
    right: int | None
    parameters_before: int
    parameters: int
    partial: PartialDecoding | None
    verdict: str
    diagnostics: int
    shown: tuple[str, ...]
    witnesses: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Bytes of the trained network in binary32 for each byte of the streams."""
        return FLOAT_BYTES * self.parameters_before / self.size


def evaluate(stream: GoldenStream, chain: Sequence[bytes]) -> Evaluation:
    """Decode, check and measure a stream; `chain`: its bytes behind those of the streams that it updates."""
    network = NETWORKS[stream.network]
    tensors = trained(network.name)
    agreeing = witnesses(stream, chain)
    found = footprint(chain)
    usable = runnable_network(network, chain)
    decoded = decoded_network(chain)
    return Evaluation(
        name=stream.name,
        proposal=stream.proposal,
        network=network.name,
        size=sum(map(len, chain)),
        before=accuracy(network, tensors),
        after=accuracy(network, decoded),
        right=right_answers(network, decoded) if network.classifies else None,
        parameters_before=parameters(tensors),
        parameters=parameters(usable),
        partial=partial_decoding(network, chain[0], found.report) if len(chain) == 1 else None,
        verdict=found.report.verdict.value,
        diagnostics=len(found.report.diagnostics),
        shown=shown_tools(stream.proposal, found),
        witnesses=agreeing,
    )


def witnesses(stream: GoldenStream, chain: Sequence[bytes]) -> tuple[str, ...]:
    """The builder, and the decoders that give what it meant: tensors, levels and factors, bit for bit."""
    # The compiled decoder first, so that whoever decodes later has it at hand.
    lives = {"compiled decoder": True, "pure decoder": False} if compiled_available() else {"pure decoder": False}
    return (
        "builder",
        *sorted(life for life, compiled in lives.items() if gives_what_was_meant(stream, chain, compiled)),
    )


def gives_what_was_meant(stream: GoldenStream, chain: Sequence[bytes], compiled: bool) -> bool:
    """Whether a decoder gives tensors, levels and factors as the pipeline meant them, and no other tensors."""
    found = decode(chain, compiled=compiled)
    sent = decode(chain, compiled=compiled, transmitted=True)
    return (
        set(found.tensors) == set(stream.expected)
        and all(_same(found.tensors[name], values) for name, values in stream.expected.items())
        and all(_same(found.levels[name], levels) for name, levels in stream.levels.items())
        and all(_same(sent.tensors[name], values) for name, values in stream.factors.items())
    )


def _same(found: NDArray[Any] | None, meant: NDArray[Any]) -> bool:
    return found is not None and found.dtype == meant.dtype and found.tobytes() == meant.tobytes()


def shown_tools(proposal: str, found: Footprint) -> tuple[str, ...]:
    """Ids of the tools of a proposal that a stream shows."""
    return tuple(tool.id for tool in tools() if proposal in tool.marks and found.shows(tool))


def decoded_network(chain: Sequence[bytes]) -> Tensors:
    """The tensors of the network as a decoder composes them; fixed-point numbers are scaled as their stream says."""
    decoder = chain_decoder(chain)
    tensors = {tensor.name: tensor.values for tensor in decoder}
    carried = [data for data in decoder.decoders[-1].carried if data.unit_type == QNT]
    return _scaled(tensors, carried[-1].data) if carried else tensors


def runnable_network(network: Network, chain: Sequence[bytes]) -> Tensors:
    """The network with the fewest parameters that a decoder can run: decomposed weights stay in their factors."""
    tensors = decoded_network(chain)
    transmitted = decode(chain, transmitted=True).tensors
    found = dict(tensors)
    for layer in network.layers:
        factors = {name: transmitted[name] for name in _factor_names(layer.weight) if name in transmitted}
        if factors:
            del found[layer.weight]
            found |= factors
    return found


def _factor_names(weight: str) -> tuple[str, str]:
    return f"{weight}_G", f"{weight}_H"


def _scaled(tensors: Tensors, quantization: bytes) -> dict[str, NDArray[Any]]:
    """Integers divided by the power of two that the quantization unit gives for their tensor."""
    places = json.loads(quantization.rstrip(b"\0"))["fraction bits"]
    return {name: values / 2.0 ** places.get(name, 0) for name, values in tensors.items()}


def partial_decoding(network: Network, data: bytes, report: StreamReport) -> PartialDecoding:
    """Decode the second layer's weight alone, from a stream of nothing else than the units that it needs."""
    weight = network.layers[1].weight
    wanted = [row for row in report.units if weight in row.names or f"{weight}_G" in row.names]
    if not wanted:
        raise BuildError(f"no unit holds {weight}")
    pieces = [row for row in report.units if row.unit_type in HEADS] + _layer_set(report, wanted[0]) + wanted
    extract = b"".join(data[row.first : row.first + row.size] for row in pieces)
    taken = {row.label for row in pieces}
    looked_at = sum(row.size - row.payload_size for row in report.units if row.label not in taken)
    alone = decode(extract, tensors=[weight])
    whole = decode(data, tensors=[weight])
    agrees = not any(found.severity.value == "error" for found in alone.diagnostics)
    agrees = agrees and set(alone.tensors) == {weight}
    agrees = agrees and np.array_equal(alone.tensors[weight], whole.tensors[weight])
    return PartialDecoding(weight, len(extract) + looked_at, agrees)


def _layer_set(report: StreamReport, wanted: UnitRow) -> list[UnitRow]:
    """The layer parameter set that is in force for a unit; one in an aggregate ends with it."""
    before = [row for row in report.units if row.unit_type == "NNR_LPS" and row.first < wanted.first]
    around = wanted.label.rpartition(".")[0]
    in_force = [row for row in before if row.label.rpartition(".")[0] in ("", around)]
    return in_force[-1:]
