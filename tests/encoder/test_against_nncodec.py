"""The builder against payloads that NNCodec wrote: from the same levels, in the same way, come the same bytes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from nnr_conformance.encoder.arithmetic import ArithmeticEncoder, Ending
from nnr_conformance.encoder.tensor_data import BlockRow, TensorData, TensorEncoder
from tests.entropy import vector_files as files

NNCODEC_1: dict[str, Any] = {"prefix_ids": 32, "restart_single_block_row": True}


def context_name(index: int, unary_length: int) -> tuple[str, int]:
    """The builder's name of a context from its number in the vectors."""
    starts = {
        "sig": 0,
        "sig base": 24,
        "sig history": 40,
        "sign": 48,
        "sign base": 51,
        "greater": 53,
        "greater base": 53 + 2 * unary_length,
        "prefix": 53 + 4 * unary_length,
    }
    name = max((name for name in starts if starts[name] <= index), key=lambda name: starts[name])
    return name, index - starts[name]


def tensor_data(tensor: dict[str, Any], variant: str) -> TensorData:
    expected, shape = tensor["expected"], tensor["shape"]
    unary_length = tensor["cabac_unary_length_minus1"] + 1
    codebook = tensor["codebook"] or {"size": 0, "zero_offset": 0}
    history = tensor["history"] or [0] * len(expected["levels"])
    return TensorData(
        levels=expected["levels"],
        height=shape[0],
        width=len(expected["levels"]) // shape[0],
        edition=tensor["general_profile_idc"] + 1,
        unary_length=unary_length,
        dq=bool(tensor["dq_flag"]),
        scan_order=tensor["scan_order"],
        qp_value=tensor["qp_coded_value"],
        qp_bits=tensor["qp_coded_bits"] or 0,
        parent_present=bool(tensor["parent_node_id_present_flag"]),
        codebook_size=codebook["size"],
        codebook_zero=codebook["zero_offset"],
        row_skip=expected["row_skip_list"],
        history=history if expected["hist_dep_sig_prob_enabled_flag"] else None,
        base=tensor["base_levels"],
        init_ids={context_name(index, unary_length): init_id for index, init_id in expected["init_ids"]},
        **(NNCODEC_1 if variant == "nnc1.0" else {}),
    )


def encoded(vector: dict[str, Any]) -> tuple[bytes, list[list[dict[str, int]]]]:
    """The payload, and for each tensor its entry points as the vectors list them."""
    encoder = ArithmeticEncoder()
    starts: list[tuple[TensorData, tuple[BlockRow, ...]]] = []
    for tensor in vector["tensors"]:
        data = tensor_data(tensor, vector["syntax_variant"])
        starts.append((data, TensorEncoder(encoder, data).write()))
    codeword = encoder.finish(Ending())
    points = [
        [
            {
                "bit_offset": after.bits - before.bits,
                "value": codeword.offset_at(after.bits, after.low),
                "dq_state": after.state,
            }
            for before, after in pairwise(rows)
        ]
        for data, rows in starts
    ]
    return codeword.data, points


@pytest.mark.parametrize("name", files.VALID)
def test_the_builder_writes_the_bytes_that_nncodec_writes(name: str) -> None:
    vector = files.load(name)
    payload, points = encoded(vector)
    assert payload.hex() == vector["payload_hex"]
    assert points == [tensor["expected"]["entry_points"] for tensor in vector["tensors"]]
