"""The nine proposals as pipelines, in the order of the table of the call; `spec/tools.yaml` has the table.

Each takes a network as it was trained and gives streams. What a proposal had without a trace in a stream (training,
choice of step sizes, fine-tuning) is done all the same. Where the table asks for a tool in one form or another, the
networks differ in the form that they get.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.encoder.codebooks import codebook_levels
from nnr_conformance.encoder.decomposition import Factors
from nnr_conformance.encoder.layer_tools import EPSILON
from nnr_conformance.encoder.rates import bits_of
from nnr_conformance.encoder.settings import BlockPlan, EncoderSettings
from nnr_conformance.encoder.sparsification import operating_point, sparsification_elements, sparsify, threshold_for
from nnr_conformance.encoder.step_size import in_steps
from nnr_conformance.encoder.update_chain import ChainState
from nnr_conformance.suite.cfp2019.assembly import Assembly
from nnr_conformance.suite.cfp2019.measures import accuracy
from nnr_conformance.suite.cfp2019.networks import NETWORKS, Network, Tensors, images, trained
from nnr_conformance.suite.cfp2019.reductions import (
    PrunedNetwork,
    choose_qps,
    decomposed,
    factors_for,
    labelled_loss,
    parameters,
    prune,
    qp_by_spread,
    tuned_last_layer,
    unlabelled_loss,
)
from nnr_conformance.suite.cfp2019.topologies import nnef_graph

DENSITY = 2
FINE, VECTOR_FINE = -40, -48
"""Quantization parameters where a proposal does not quantize: steps of 2^-10 and 2^-12."""
FIXED = -20
"""A step of 2^-5, chosen before any weight was seen."""
VECTORS = -32
"""Of biases and batch norms: a step of 2^-8."""
PRICE, UPDATE_PRICE = 0.08, 0.02
UPDATE = -28
"""Of an update of a last layer, whose differences are small: a step of 2^-7."""
NUL = "\0"
"""Ends topology and quantization data, so that they are the same read as strings and as bytes."""


@dataclass(frozen=True, slots=True, eq=False)
class GoldenStream:
    """A stream of a pipeline with what it must decode to.

    `name`: below bitstreams/cfp2019. `steps`: what the pipeline did, in order. `expected`: what decoders deliver.
    `levels`: int32, of the transmitted tensors. `factors`: of decomposed weights, as transmitted. `before`: streams of
    the chain that it continues.
    """

    name: str
    proposal: str
    network: str
    steps: tuple[str, ...]
    data: bytes
    expected: Mapping[str, NDArray[Any]]
    levels: Mapping[str, NDArray[np.int32]]
    factors: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    before: tuple[str, ...] = ()


def p1(network: Network) -> Iterator[GoldenStream]:
    """P1: structures are pruned, after training that prepares for it; entropy coding; the network becomes smaller."""
    tensors = trained(network.name)
    pruned = prune(network, tensors, 0.3)
    work = Assembly(EncoderSettings(qp=FINE, qp_density=DENSITY, vector_qp=VECTOR_FINE))
    work.parameter_set |= _pruning_map(network, pruned) | {"mps_quantization_method_flags": 1}
    # A mask has a bit for each output of a pruned layer, a dictionary the new shapes of the tensors.
    _container(work, tensors, pruned, mask=network.name == "recurrent")
    for name, values in pruned.tensors.items():
        if values.ndim > 1:
            work.tensor(name, values)
        else:
            work.raw(name, values)
    yield _golden("P1", network, work, "training with a group lasso", "weak rows and filters removed", "fine steps")


def p2(network: Network) -> Iterator[GoldenStream]:
    """P2: sparsification, after training that prepares for it; codebook or uniform, by the weights or fixed."""
    tensors = trained(network.name)
    points = [operating_point(tensors, threshold_for(tensors, share), 0.0) for share in (0.2, 0.35, 0.5)]
    found = [accuracy(network, sparsify(tensors, point.threshold)) for point in points]
    sparse = sparsify(tensors, points[1].threshold)
    work = Assembly(EncoderSettings(qp=FIXED, qp_density=DENSITY, vector_qp=VECTORS, row_skip=True))
    work.parameter_set |= sparsification_elements(points) | {"spm_nn_accuracy": found}
    work.parameter_set |= _metric(network) | {"mps_quantization_method_flags": 3, "topology_carriage_flag": 1}
    work.unit("NNR_TPL", topology_storage_format="NNR_TPL_PYT", topology_data=NUL)
    for number, (name, values) in enumerate(sparse.items()):
        if values.ndim > 1 and (network.name != "recurrent" or number == 0):
            work.tensor(name, values, codebook=17, qp=FIXED, qps={name: qp_by_spread(values, DENSITY, 0.05)})
        else:
            work.tensor(name, values)
    yield _golden(
        "P2", network, work, "training with a group lasso", "35 % of the weights set to 0", "codebook or fixed step"
    )


def p3(network: Network) -> Iterator[GoldenStream]:
    """P3: structures are pruned and what is left is tuned; a step size that does not depend on data."""
    tensors = trained(network.name)
    pruned = prune(network, tensors, 0.5)
    tuned = pruned.tensors | tuned_last_layer(network, pruned.tensors, images("tuning"))
    # Edition 1, which has all that this proposal needs.
    work = Assembly(EncoderSettings(qp=FIXED, qp_density=DENSITY, vector_qp=VECTORS, profile=0))
    work.parameter_set |= _pruning_map(network, pruned, metric=False)
    work.parameter_set |= {"mps_quantization_method_flags": 1, "topology_carriage_flag": 1}
    _container(work, tensors, pruned, mask=network.name == "cnn")
    for name, values in tuned.items():
        work.tensor(name, values)
    yield _golden("P3", network, work, "weak rows and filters removed", "last layer tuned", "fixed step")


def p4(network: Network) -> Iterator[GoldenStream]:
    """P4: sparsification; codebook and uniform with rate-distortion; layers in parts, each with a parameter set."""
    tensors = trained(network.name)
    tuning = images("tuning")
    point = operating_point(tensors, threshold_for(tensors, 0.4))
    sparse = sparsify(tensors, point.threshold)
    weights = [name for name, values in sparse.items() if values.ndim > 1]
    loss = unlabelled_loss(network, sparse, tuning)
    qps = choose_qps(network, sparse, weights, range(-28, -7, 2), DENSITY, loss, 2e-3)
    tuned = sparse | tuned_last_layer(network, sparse, tuning)
    work = Assembly(EncoderSettings(qp=FIXED, qp_density=DENSITY, vector_qp=VECTORS, qps=qps))
    work.parameter_set |= {"mps_quantization_method_flags": 3, "topology_carriage_flag": 1}
    work.parameter_set |= sparsification_elements([point]) | {"spm_nn_accuracy": [accuracy(network, sparse)]}
    work.parameter_set |= _metric(network)
    if network.name == "cnn":
        work.unit("NNR_TPL", topology_storage_format="NNR_TPL_NNEF", topology_data=nnef_graph(tensors) + NUL)
    else:
        work.unit("NNR_TPL", topology_storage_format="NNR_TPL_PYT", topology_data=NUL)
    for layer in network.layers:
        if network.name == "recurrent" and layer is not network.last:
            with work.aggregate():
                _p4_layer(work, layer.weight, layer.bias, layer.batch_norm, tuned, qps)
        else:
            _p4_layer(work, layer.weight, layer.bias, layer.batch_norm, tuned, qps)
    yield _golden(
        "P4",
        network,
        work,
        "40 % of the weights set to 0",
        "step sizes by unlabelled images",
        "last layer tuned",
        "rate-distortion, codebook and uniform",
    )


def _p4_layer(
    work: Assembly, weight: str, bias: str, norm: tuple[str, ...], tensors: Tensors, qps: Mapping[str, int]
) -> None:
    """A layer under its own parameter set: weight in blocks of rows or in parts, vectors with it or joined."""
    qp = qps[weight]
    work.unit(
        "NNR_LPS",
        lps_self_contained_flag=1,
        lps_quantization_method_flags=3,
        lps_qp_density=DENSITY,
        lps_quantization_parameter=qp,
    )
    layer: dict[str, Any] = {"qp": qp, "vector_qp": VECTORS}
    rows, columns = len(tensors[weight]), tensors[weight][0].size
    if weight.startswith(("output", "encoder.1")):
        work.tensor(weight, tensors[weight], **layer, codebook=15, qps={weight: qp - 4}, part_bytes=160)
        work.tensor(bias, tensors[bias], **layer)
    elif bias:
        plan = BlockPlan(weight, bias)
        work.layer(plan, tensors, **layer, dq=rows > 8 and columns > 8, price=PRICE, scan_order=1)
    else:
        work.tensor(weight, tensors[weight], **layer, dq=columns > 16, price=PRICE, scan_order=1)
    if norm:
        work.joined(norm, tensors, **layer)


def p5(network: Network) -> Iterator[GoldenStream]:
    """P5: decomposition, after which the last layer is tuned; entropy coding; decoders go on with the factors."""
    tensors = trained(network.name)
    factors = factors_for(network, tensors, 0.95)
    low = decomposed(tensors, factors)
    tuned = low | tuned_last_layer(network, low, images("tuning"))
    work = Assembly(EncoderSettings(qp=FINE, qp_density=DENSITY, vector_qp=VECTOR_FINE))
    work.parameter_set |= _decomposition_map(network, tensors, low, factors) | {"mps_quantization_method_flags": 1}
    for name, values in tuned.items():
        if name in factors:
            work.decomposed(name, tensors[name], factors[name])
        else:
            work.tensor(name, values)
    yield _golden("P5", network, work, "weights decomposed", "last layer tuned", "fine steps")


def p6(network: Network) -> Iterator[GoldenStream]:
    """P6: a codebook for each weight whose size adapts to it; tuning; entropy coding."""
    tensors = trained(network.name)
    tuned = dict(tensors) | tuned_last_layer(network, tensors, images("tuning"))
    work = Assembly(EncoderSettings(qp=FIXED, qp_density=DENSITY, vector_qp=VECTORS, unary_length=4))
    work.parameter_set |= {"mps_quantization_method_flags": 3}
    for name, values in tuned.items():
        if values.ndim > 1:
            qp = qp_by_spread(values, DENSITY, 0.04)
            work.tensor(name, values, codebook=adaptive_size(values, qp), qps={name: qp})
        else:
            work.tensor(name, values)
    yield _golden("P6", network, work, "last layer tuned", "codebooks of adapted size")


def adaptive_size(values: NDArray[Any], qp: int) -> int:
    """The size of a codebook with the least squared error over variance plus a price for estimated bits."""
    scaled = in_steps(values, qp, DENSITY)
    costs = {}
    for size in (6, 8, 12, 16, 24, 32):
        book = codebook_levels(scaled, size)
        indices = book.levels.reshape(-1) + book.zero
        counts = np.bincount(indices, minlength=len(book.entries))
        error = np.square(scaled.reshape(-1) - book.entries[indices]).mean() / scaled.var()
        costs[size] = float(error) + 0.006 * float((counts * bits_of(counts)).sum() / counts.sum())
    return min(costs, key=costs.__getitem__)


def p7(network: Network) -> Iterator[GoldenStream]:
    """P7: sparsification, step sizes by labelled data, dependent quantization, local scaling; tuning as an update."""
    tensors = trained(network.name)
    tuning = images("tuning")
    points = [operating_point(tensors, threshold_for(tensors, share)) for share in (0.25, 0.5)]
    sparse = sparsify(tensors, points[0].threshold)
    weights = [name for name, values in sparse.items() if values.ndim > 1]
    limit = 4e-3 if network.classifies else 3e-4
    qps = choose_qps(network, sparse, weights, range(-24, -5, 2), DENSITY, labelled_loss(network, tuning), limit)
    settings = EncoderSettings(
        qp=FIXED, qp_density=DENSITY, vector_qp=VECTORS, qps=qps, dq=True, price=PRICE, scan_order=1, row_skip=True
    )
    work = Assembly(settings)
    work.parameter_set |= {"mps_quantization_method_flags": 1, "topology_carriage_flag": 1}
    found = [accuracy(network, sparsify(tensors, point.threshold)) for point in points]
    work.parameter_set |= sparsification_elements(points) | {"spm_nn_accuracy": found} | _metric(network)
    work.unit("NNR_TPL", topology_storage_format="NNR_TPL_PYT", topology_data=NUL)
    for layer in network.layers:
        if layer.batch_norm:
            folded = layer.batch_norm[0].replace(".bias", ".folded")
            plan = BlockPlan(layer.weight, folded, layer.batch_norm, fold=True, epsilon=EPSILON, local_scaling=True)
            work.layer(plan, sparse)
        elif layer is network.last:
            # Alone and numbered, so that an update can follow.
            for number, name in enumerate((layer.weight, layer.bias)):
                work.tensor(name, sparse[name], node={"device_id": 0, "parameter_id": number, "put_node_depth": 0})
        else:
            work.layer(BlockPlan(layer.weight, layer.bias, local_scaling=True), sparse)
    first = _golden(
        "P7",
        network,
        work,
        "25 % of the weights set to 0",
        "step sizes by labelled images",
        "local scaling, batch norms folded",
        "search through the trellis",
    )
    yield first
    yield _p7_update(network, settings, first)


def _p7_update(network: Network, settings: EncoderSettings, first: GoldenStream) -> GoldenStream:
    """The last layer, tuned for what the decoder has, as an update of what it has."""
    have = dict(first.expected)
    chain = ChainState.of_streams([first.data])
    tuned = tuned_last_layer(network, have, images("tuning"))
    work = Assembly(replace(settings, qp=UPDATE, qps={}, price=UPDATE_PRICE))
    work.parameter_set |= {"mps_quantization_method_flags": 1, "mps_parent_signalling_enabled_flag": 1}
    for name, values in tuned.items():
        parent = chain.parent_of(name, temporal=True, history=True)
        work.tensor(name, values - have[name].astype(np.float64), parent=parent)
        work.expected[name] = work.expected[name] + have[name]
    expected = have | work.expected
    work.expected = expected
    return _golden(
        "P7", network, work, "last layer tuned on labelled images", "sent as an update", number=2, before=(first.name,)
    )


def p8(network: Network) -> Iterator[GoldenStream]:
    """P8: decomposition, and codebooks for the factors; tuning. It had no entropy coding, which codebooks now imply."""
    tensors = trained(network.name)
    factors = factors_for(network, tensors, 0.94)
    low = decomposed(tensors, factors)
    tuned = low | tuned_last_layer(network, low, images("tuning"))
    work = Assembly(EncoderSettings(qp=FIXED, qp_density=DENSITY, vector_qp=VECTORS, profile=0))
    work.parameter_set |= _decomposition_map(network, tensors, low, factors, metric=False)
    work.parameter_set |= {"mps_quantization_method_flags": 3}
    for name, values in tuned.items():
        if values.ndim == 1:
            work.tensor(name, values)
            continue
        qp = qp_by_spread(values, DENSITY, 0.05)
        if name in factors:
            qps = {f"{name}_G": qp + 2, f"{name}_H": qp + 2}
            work.decomposed(name, tensors[name], factors[name], codebook=24, qps=qps)
        else:
            work.tensor(name, values, codebook=24, qps={name: qp})
    yield _golden("P8", network, work, "weights decomposed", "last layer tuned", "codebooks for the factors")


def p9(network: Network) -> Iterator[GoldenStream]:
    """P9: fixed-point numbers of 8 bits for hardware, as integers or raw; no parameter is removed."""
    tensors = trained(network.name)
    tuned = dict(tensors) | tuned_last_layer(network, tensors, images("tuning"))
    formats = {name: fraction_bits(values, 8 if values.ndim > 1 else 16) for name, values in tuned.items()}
    # Numbers of 16 bits are exact in binary32 and need no entropy coding at all.
    raw = {name for name, values in tuned.items() if values.ndim == 1 and network.name == "cnn"}
    listed = {name: places for name, places in formats.items() if name not in raw}
    work = Assembly(EncoderSettings(qp=-6, qp_density=0, init_ids=False))
    work.parameter_set |= {"mps_quantization_method_flags": 1}
    work.unit("NNR_QNT", quantization_data=json.dumps({"fraction bits": listed}, separators=(",", ":")) + NUL)
    for name, values in tuned.items():
        numbers = np.round(values.astype(np.float64) * 2.0 ** formats[name])
        if name in raw:
            work.raw(name, numbers / 2.0 ** formats[name])
        else:
            work.whole_numbers(name, numbers.astype(np.int8 if values.ndim > 1 else np.int16))
    yield _golden("P9", network, work, "last layer tuned", "fixed point of 8 bits, vectors of 16")


def fraction_bits(values: NDArray[Any], bits: int) -> int:
    """The most binary places with which all values fit a signed fixed-point number."""
    largest = float(np.abs(values).max())
    places = bits - 1 - int(np.floor(np.log2(largest))) - 1 if largest else bits - 1
    return places if np.round(largest * 2.0**places) < 1 << (bits - 1) else places - 1


PIPELINES: Mapping[str, Callable[[Network], Iterator[GoldenStream]]] = {
    "P1": p1,
    "P2": p2,
    "P3": p3,
    "P4": p4,
    "P5": p5,
    "P6": p6,
    "P7": p7,
    "P8": p8,
    "P9": p9,
}


@cache
def golden_streams() -> tuple[GoldenStream, ...]:
    """All streams, by proposal and network."""
    return tuple(
        stream for pipeline in PIPELINES.values() for network in NETWORKS.values() for stream in pipeline(network)
    )


def _golden(
    proposal: str, network: Network, work: Assembly, *steps: str, number: int = 1, before: tuple[str, ...] = ()
) -> GoldenStream:
    name = f"{proposal.lower()}-{network.name}-{number:02}"
    data = work.stream().data
    return GoldenStream(name, proposal, network.name, steps, data, work.expected, work.levels, work.factors, before)


def _metric(network: Network) -> dict[str, Any]:
    """Says what the numbers of performance maps are where they are no accuracies; edition 2."""
    if network.classifies:
        return {}
    return {"metric_type_performance_map_valid_flag": 1, "performance_metric_type": "mean squared error"}


def _pruning_map(network: Network, pruned: PrunedNetwork, *, metric: bool = True) -> dict[str, Any]:
    # Without a name of the metric, which edition 1 lacks, the number can only be an accuracy.
    known = metric or network.classifies
    number = accuracy(network, pruned.tensors) if known else 0.0
    return {"pruning_ratio": [pruned.ratio], "ppm_nn_accuracy": [number], **(_metric(network) if metric else {})}


def _container(work: Assembly, tensors: Tensors, pruned: PrunedNetwork, *, mask: bool) -> None:
    if mask:
        bits = "".join("01"[int(gone)] for rows in pruned.removed.values() for gone in rows)
        form = {"nnr_rep_type": 0, "bit_mask_value": bits}
    else:
        changed = [name for name, values in pruned.tensors.items() if values.shape != tensors[name].shape]
        shapes = [list(pruned.tensors[name].shape) for name in changed]
        form = {"nnr_rep_type": 1, "element_id": changed, "dim": shapes}
    work.parameter_set["topology_carriage_flag"] = 1
    work.unit("NNR_TPL", topology_storage_format="NNR_TPL_PRUN", prune_flag=1, **form)


def _decomposition_map(
    network: Network, tensors: Tensors, low: Tensors, factors: Mapping[str, Factors], *, metric: bool = True
) -> dict[str, Any]:
    kept = sum(found.g.size + found.h.size for found in factors.values()) + parameters(
        {name: values for name, values in tensors.items() if name not in factors}
    )
    worst = max(float(np.square(low[name].astype(np.float64) - tensors[name]).mean()) for name in factors)
    known = metric or network.classifies
    return {
        "mse_threshold": [worst],
        "dpm_nn_accuracy": [accuracy(network, low) if known else 0.0],
        "nn_reduction_ratio": [kept / parameters(tensors)],
        **(_metric(network) if metric else {}),
    }
