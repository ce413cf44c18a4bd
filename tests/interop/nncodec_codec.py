"""NNCodec in this process: encode a recipe, decode the streams, say which coding tools they use.

Only ``nncodec.nnc_core`` and its extension module are used. They need numpy and nothing else: no torch.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np
from nncodec.nnc_core import approximator, coder, hls, nnr_model
from nncodec.nnc_core.hdsp.hdsp_tool import HdspTool

from tests.interop.recipes import BATCH_NORM, SCAN_BLOCK, Arrays, Case, Model, Options, build_model, build_update

STATE_BY_ROW_WIDTH = "state of skipped rows by row width"
MAP_FLAGS = ("sparsification_flag", "pruning_flag", "unification_flag", "decomposition_performance_map_flag")


@dataclass(frozen=True)
class Coded:
    """One stream with what its encoder meant and what NNCodec decodes from it.

    Not `keeps_intent`: the entropy coder advances the trellis over skipped rows in a way that the quantiser did not
    foresee, so the decoded levels are not those that the encoder meant. The stream is sound all the same.
    """

    stream: bytes
    intended_levels: Arrays
    keeps_intent: bool
    levels: Arrays
    tensors: Arrays
    tools: frozenset[str] = field(default_factory=frozenset)


def membership(case: Case) -> dict[str, str]:
    """The layer of every tensor that may be sent outside its block; folding can make up two of them."""
    suffixes = ("", "_scaling", ".b", ".bias", *(f".bn.{part}" for part in BATCH_NORM))
    return {layer.name + suffix: layer.name for layer in case.layers for suffix in suffixes}


@dataclass
class ChainState:
    """What NNCodec's encoder, or its decoder, carries from one stream of a chain to the next."""

    base: dict[str, Any] = field(
        default_factory=lambda: {"parameters": {}, "put_node_depth": {}, "device_id": 0, "parameter_id": {}}
    )
    history: HdspTool = field(default_factory=lambda: HdspTool(False))

    def base_or_none(self, wanted: bool) -> ChainState | None:
        return self if wanted else None


@contextlib.contextmanager
def recorded_headers() -> Iterator[list[dict[str, Any]]]:
    """Every data unit header that the encoder really writes, in order."""
    headers: list[dict[str, Any]] = []
    finish = coder.syntax_compiler.compile_ndu_eps

    def record(header: dict[str, Any], entry_points: Any) -> dict[str, Any]:
        headers.append(finish(header, entry_points))
        return headers[-1]

    with mock.patch.object(coder.syntax_compiler, "compile_ndu_eps", record):
        yield headers


def encode(
    model: Model,
    options: Options,
    *,
    fold: bool = False,
    blocks: bool = True,
    extra: dict[str, Any],
    state: ChainState | None,
    history: HdspTool | None,
) -> tuple[bytes, Arrays, list[dict[str, Any]]]:
    """One stream, the levels its encoder chose, and the unit headers it wrote."""
    info = nnr_model.NNRModel(dict(model.shapes)).model_info
    info["topology_storage_format"] = nnr_model.TopologyStorageFormat(options.topology)
    info["block_identifier"] = dict(model.block_of)
    info["parameter_type"].update(model.type_of)
    data = approximator.init_approx_data(model.parameters, info, qp_density=options.qp_density, scan_order=0)
    data["scan_order"] = {name: np.int32(order) for name, order in model.scan_orders.items()}
    choice = approximator.ApproxInfo(
        data,
        info,
        "codebook" if options.codebook_mode else "uniform",
        options.codebook_mode,
        options.qp,
        False,
        not options.dq,
        options.unary_minus1,
        options.rate_weight,
        nonweight_qp=np.int32(options.nonweight_qp),
        qp_per_tensor={name: np.int32(qp) for name, qp in model.qps.items()},
        int_quant_bw=options.bit_depth,
    )
    if fold:
        approximator.fold_bn(info, data, choice)
    settings_ = {
        "cabac_unary_length_minus1": options.unary_minus1,
        "param_opt_flag": options.param_opt,
        "general_profile_idc": options.profile,
        "row_skip_enabled_flag": int(options.row_skipping),
        "nnr_pt_block_enabled_flag": int(blocks),
        "node_id_present_flag": options.profile,
        "device_id": 0,
        "mps_parent_signalling_enabled_flag": 0,
        "parent_node_id_present_flag": 0,
        "temporal_context_modeling_flag": 0,
        **extra,
    }
    data = approximator.approx(choice.approx_info, info, data, settings_)
    levels = {name: np.array(array) for name, array in data["parameters"].items()}
    with recorded_headers() as headers:
        stream, _ = coder.encode(
            settings_,
            info,
            data,
            approx_param_base=state.base if state else None,
            update_base_param=state is not None,
            tool_if=history,
        )
    if settings_["mps_parent_signalling_enabled_flag"]:
        levels = {name: array for name, array in levels.items() if np.any(array)}
    return bytes(stream), levels, headers


@dataclass(frozen=True)
class Raw:
    """A stream in NNCodec: levels by name, its own results and what it found out about the model.

    `fault`: what ended the dequantization, if anything did.
    """

    levels: Arrays
    data: dict[str, Any]
    info: dict[str, Any]
    fault: Exception | None = None

    @property
    def tensors(self) -> Arrays:
        """Dequantized tensors; codebook tensors rounded from float64 to float32."""
        return {
            name: array if array.dtype == np.int32 else array.astype(np.float32)
            for name, array in self.data["parameters"].items()
        }


def decode_raw(
    stream: bytes,
    known_blocks: Mapping[str, str],
    state: ChainState | None,
    history: HdspTool | None,
    outside: Mapping[str, Any] | None = None,
) -> Raw:
    """A stream in NNCodec, dequantized and not composed. `outside`: parameters that are not in the stream."""
    info: dict[str, Any] = {
        "parameter_type": {},
        "parameter_dimensions": {},
        "parameter_index": {},
        "block_identifier": dict(known_blocks),
        "topology_storage_format": None,
        "topology_compression_format": None,
        "performance_maps": {"mps": {}, "lps": {}},
        "performance_map_flags": {f"{unit}_{tool}": {} for unit in ("mps", "lps") for tool in MAP_FLAGS},
    }
    data = coder.decode(
        bytearray(stream),
        info,
        hls_stats={},
        oob_dict=dict(outside or {}),
        approx_param_base=state.base if state else None,
        update_base_param=state is not None,
        tool_if=history,
    )
    if history is not None:
        history.add_data_to_hist(data["parameters"])
    levels = {name: np.array(array) for name, array in data["parameters"].items()}
    try:
        approximator.rec(data)
    except Exception as fault:
        return Raw(levels, data, info, fault)
    return Raw(levels, data, info)


def decode(
    stream: bytes, known_blocks: dict[str, str], state: ChainState | None, history: HdspTool | None
) -> tuple[Arrays, Arrays]:
    """NNCodec's levels and dequantised tensors, as transmitted; codebook tensors rounded from float64 to float32."""
    found = decode_raw(stream, known_blocks, state, history)
    if found.fault is not None:
        raise found.fault
    return found.levels, found.tensors


def code(case: Case) -> list[Coded]:
    """Every stream of the case, encoded and decoded by NNCodec in order."""
    with contextlib.redirect_stdout(io.StringIO()):  # NNCodec reports on the standard output
        return list(_code(case))


def _code(case: Case) -> Iterator[Coded]:
    encoder, decoder = ChainState(), ChainState()
    encoder.history, decoder.history = HdspTool(case.history), HdspTool(case.history)
    base = build_model(case)
    steps: list[tuple[Model, Options, dict[str, Any], bool]] = [
        (
            base,
            case.options,
            {
                "mps_parent_signalling_enabled_flag": int(case.signal_parents_in_base),
                "pre_signalling": int(case.signal_parents_in_base),
                "device_id": case.device_id,
            },
            case.base_is_parent,
        )
    ]
    for update in case.updates:
        extra = {
            "mps_parent_signalling_enabled_flag": 1,
            "parent_node_id_present_flag": 1,
            "parent_device_id": 0,
            "parent_node_id_type": hls.ParentNodeIdType.ICNN_NDU_ID,
            "device_id": case.device_id,
            "temporal_context_modeling_flag": int(update.temporal_contexts),
        }
        steps.append((build_update(base, update), update.options, extra, True))

    for position, (model, options, extra, keeps_state) in enumerate(steps):
        uses_history = case.history and (position > 0 or case.base_in_history)
        stream, intended, headers = encode(
            model,
            options,
            extra=extra,
            fold=position == 0 and any(layer.fold for layer in case.layers),
            blocks=not any(layer.separate for layer in case.layers),
            state=encoder.base_or_none(keeps_state),
            history=encoder.history if uses_history else None,
        )
        tools = tools_of(headers, options, intended, encoder.history if uses_history else None, model)
        if case.base_in_history and "history contexts" in tools:
            tools = tools - {"history contexts"} | {"history of the base model"}
        if uses_history:
            # Tensors that were not transmitted leave no trace, as in the decoder.
            encoder.history.add_data_to_hist(intended)
        levels, tensors = decode(
            stream,
            membership(case) if any(layer.separate and layer.rank for layer in case.layers) else {},
            decoder.base_or_none(keeps_state),
            decoder.history if uses_history else None,
        )
        keeps_intent = STATE_BY_ROW_WIDTH not in tools
        yield Coded(stream, intended, keeps_intent, levels, tensors, tools)


def tools_of(
    headers: list[dict[str, Any]], options: Options, levels: Arrays, history: HdspTool | None, model: Model
) -> frozenset[str]:
    """Names of the coding tools that a stream uses, from the headers its encoder wrote."""
    tools = {
        f"profile {options.profile}",
        f"qp density {options.qp_density}",
        f"unary length {options.unary_minus1 + 1}",
        f"topology format {options.topology}",
    }
    if options.param_opt:
        tools.add("optimised initialisation")
    if options.rate_weight:
        tools.add("rate-distortion quantization")
    if options.bit_depth:
        tools.add("bit depth")
    if not headers:
        tools.add("empty stream")
    sent = set(levels)
    if len(sent) < len(model.parameters) and headers and headers[0]["mps_parent_signalling_enabled_flag"]:
        tools.add("all-zero tensor left out")
    for header in headers:
        tools |= _tools_of_header(header)
        names = header.get("topology_elem_id_list") or [header["topology_elem_id"]]
        for name in names:
            array = levels[name]
            tools.add(f"{array.ndim} dimensions")
            if array.ndim > 1 and 1 in (array.shape[0], array.size // array.shape[0]):
                tools.add("width or height 1")
            two_dimensional = array.ndim > 1 and array.shape[0] > 1 and array.size > array.shape[0]
            skipped = two_dimensional and not array.reshape(array.shape[0], -1).any(axis=1).all()
            if options.profile == 1 and options.row_skipping and skipped:
                tools.add("row skipping")
                width, block = array.size // array.shape[0], SCAN_BLOCK[int(header.get("scan_order", 0))]
                if header["dq_flag"] and block > 1 and width > block and width % 4:
                    tools.add(STATE_BY_ROW_WIDTH)
            if history and history.has_hist(name) and history.best_mode_idx.get(name) == 1:
                tools.add("history contexts")
            if np.abs(array.astype(np.int64)).max(initial=0) > 1 << 24:
                tools.add("levels beyond 24 bits")
    return frozenset(tools)


def _tools_of_header(header: dict[str, Any]) -> set[str]:
    payload = hls.CompressedDataUnitPayloadType(header["nnr_compressed_data_unit_payload_type"])
    block = payload == hls.CompressedDataUnitPayloadType.NNR_PT_BLOCK
    parts = int(header["compressed_parameter_types"])
    where = "block" if block else "separate"
    tools = {payload.name.removeprefix("NNR_PT_").lower() + " payload"}
    for flag, name in (
        ("NNR_CPT_DC", "decomposition"),
        ("NNR_CPT_LS", "local scaling"),
        ("NNR_CPT_BN", "batch norm"),
        ("NNR_CPT_BI", "bias"),
    ):
        if parts & hls.BlockParameterTypes[flag]:
            tools.add(f"{name}, {where}")
    tools.add("dependent quantization" if header["dq_flag"] else "independent quantization")
    if header["codebook_present_flag"]:
        tools.add(f"codebook, {where}" if parts else "codebook")
    order = int(header.get("scan_order", 0))
    if order:
        tools.add(f"scan order {order}")
        if len(header.get("cabac_entry_point_list", ())) > 0:
            tools.add("entry points")
    if header.get("parent_node_id_present_flag"):
        tools.add("parent node id")
    if header.get("temporal_context_modeling_flag"):
        tools.add("temporal contexts")
    if header.get("put_node_depth", 0) > 1:
        tools.add("depth of two or more")
    if header.get("device_id"):
        tools.add("device id")
    return tools


def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(";"))


FREE_TOOLS = _names(
    """profile 0; profile 1; float payload; int payload; independent quantization; dependent quantization;
    rate-distortion quantization; bit depth; codebook; optimised initialisation; row skipping; entry points;
    state of skipped rows by row width; width or height 1; levels beyond 24 bits; device id;
    1 dimensions; 2 dimensions; 3 dimensions; 4 dimensions; scan order 1; scan order 2; scan order 3; scan order 4;
    qp density 0; qp density 1; qp density 2; qp density 3; qp density 4; qp density 7; unary length 1; unary length 2;
    unary length 3; unary length 5; unary length 10; unary length 11; unary length 18; unary length 64;
    unary length 256; topology format 0; topology format 3; topology format 4"""
)
LAYER_TOOLS = _names(
    """profile 0; profile 1; block payload; codebook, block; codebook, separate; entry points;
    decomposition, block; local scaling, block; batch norm, block; bias, block;
    decomposition, separate; local scaling, separate; batch norm, separate; bias, separate"""
)
CHAIN_TOOLS = _names(
    """parent node id; depth of two or more; temporal contexts; history contexts; history of the base model;
    all-zero tensor left out; row skipping; dependent quantization; codebook; block payload; entry points;
    empty stream"""
)
TOOLS = FREE_TOOLS | LAYER_TOOLS | CHAIN_TOOLS
