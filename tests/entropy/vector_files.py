"""The vectors of `vectors/`, as this package's parameters and expected values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from nnr_conformance.entropy import EntryPoint, PayloadRules, TensorCoding

FOLDER = Path(__file__).parent / "vectors"
INDEX: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text())["vectors"]
VALID = [row["id"] for row in INDEX if row["valid"]]
INVALID = [row["id"] for row in INDEX if not row["valid"]]
NNCODEC_1 = PayloadRules(prefix_ids=32, restart_single_block_row=True)

# The vectors' words for an error, and the diagnostics that they allow.
CODES = {
    "payload_overrun": {"payload_overrun"},
    "trailing_bytes": {"trailing_bytes"},
    "alignment_nonzero": {"alignment_nonzero"},
    "stop_bit_missing_or_terminate_missing": {"stop_bit_missing", "terminate_missing"},
    "terminate_missing_or_overrun": {"terminate_missing", "payload_overrun"},
    "init_offset_out_of_range": {"init_offset_out_of_range"},
    "level_out_of_codebook": {"level_beyond_bound"},
    "entry_point_offset_out_of_range": {"entry_point_offset_out_of_range"},
}


def load(name: str) -> dict[str, Any]:
    vector: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return vector


def payload(vector: dict[str, Any]) -> bytes:
    return bytes.fromhex(vector["payload_hex"])


def rules(vector: dict[str, Any]) -> PayloadRules:
    return NNCODEC_1 if vector.get("syntax_variant") == "nnc1.0" else PayloadRules()


def codings(vector: dict[str, Any]) -> list[TensorCoding]:
    return [_coding(tensor) for tensor in vector["tensors"]]


def expected_entry_points(tensor: dict[str, Any]) -> tuple[EntryPoint, ...]:
    return tuple(
        EntryPoint(point["value"], point["dq_state"] or 0, point["bit_offset"])
        for point in tensor["expected"]["entry_points"]
    )


def allowed_codes(vector: dict[str, Any]) -> set[str]:
    return CODES[vector["expected_error"]]


def _coding(tensor: dict[str, Any]) -> TensorCoding:
    shape = tuple(tensor["shape"])
    codebook = tensor["codebook"] or {"size": 0, "zero_offset": 0}
    base, history = tensor["base_levels"], tensor["history"]
    return TensorCoding(
        shape=shape,
        unary_length=tensor["cabac_unary_length_minus1"] + 1,
        dq=bool(tensor["dq_flag"]),
        scan_order=tensor["scan_order"],
        edition=tensor["general_profile_idc"] + 1,
        qp_bits=tensor["qp_coded_bits"] or 0,
        parent_present=bool(tensor["parent_node_id_present_flag"]),
        codebook_size=codebook["size"],
        codebook_zero=codebook["zero_offset"],
        base=None if base is None else np.array(base, np.int32).reshape(shape),
        history=None if history is None else np.array(history, np.int8).reshape(shape),
    )
