"""Small ONNX models on the wire, made without the library of ONNX."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.frameworks.protobuf import bytes_field, varint_bytes, varint_field

FLOAT, INT64, FLOAT16, BFLOAT16, INT8 = 1, 7, 10, 16, 3
TYPES = {"float32": FLOAT, "float16": FLOAT16, "float64": 11, "int64": INT64, "int8": INT8, "uint8": 2}


def tensor(name: str, values: NDArray, *, raw: bool = True) -> bytes:
    """A TensorProto; not `raw`: floats in their own field."""
    dims = b"".join(varint_field(1, size) for size in values.shape)
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    head = dims + varint_field(2, TYPES[values.dtype.name])
    if raw:
        return head + bytes_field(8, name.encode()) + bytes_field(9, data)
    return head + bytes_field(4, data) + bytes_field(8, name.encode())


def external_tensor(name: str, values: NDArray, location: str, offset: int | None = None) -> bytes:
    """A TensorProto of float32 whose numbers are in a file."""
    pairs = {"location": location, "length": str(values.nbytes)}
    if offset is not None:
        pairs["offset"] = str(offset)
    places = b"".join(
        bytes_field(13, bytes_field(1, key.encode()) + bytes_field(2, value.encode())) for key, value in pairs.items()
    )
    dims = bytes_field(1, b"".join(varint_bytes(size) for size in values.shape))
    return dims + varint_field(2, FLOAT) + bytes_field(8, name.encode()) + places + varint_field(14, 1)


def attribute(name: str, *, graph: bytes = b"", value: bytes = b"", number: float | None = None) -> bytes:
    """An AttributeProto with a graph, a tensor or a float."""
    head = bytes_field(1, name.encode())
    if graph:
        return head + bytes_field(6, graph) + varint_field(20, 5)
    if number is not None:
        return head + varint_bytes(2 << 3 | 5) + np.float32(number).tobytes() + varint_field(20, 1)
    return head + bytes_field(5, value) + varint_field(20, 4)


def node(operator: str, inputs: list[str], outputs: list[str], *attributes: bytes, name: str = "") -> bytes:
    """A NodeProto."""
    parts = [bytes_field(1, one.encode()) for one in inputs] + [bytes_field(2, one.encode()) for one in outputs]
    parts += [bytes_field(3, name.encode())] * bool(name) + [bytes_field(4, operator.encode())]
    return b"".join(parts + [bytes_field(5, one) for one in attributes])


def value_info(name: str, *dims: int) -> bytes:
    """A ValueInfoProto of float32."""
    shape = b"".join(bytes_field(1, varint_field(1, size)) for size in dims)
    return bytes_field(1, name.encode()) + bytes_field(2, bytes_field(1, varint_field(1, 1) + bytes_field(2, shape)))


def graph(nodes: list[bytes], initializers: list[bytes], inputs: list[bytes] = [], outputs: list[bytes] = []) -> bytes:  # noqa: B006
    """A GraphProto."""
    parts = [bytes_field(1, one) for one in nodes] + [bytes_field(2, b"g")]
    parts += [bytes_field(5, one) for one in initializers]
    parts += [bytes_field(11, one) for one in inputs] + [bytes_field(12, one) for one in outputs]
    return b"".join(parts)


def model(of_graph: bytes) -> bytes:
    """A ModelProto of opset 17, with metadata in front and behind."""
    metadata = bytes_field(14, bytes_field(1, b"author") + bytes_field(2, b"nobody"))
    opset = bytes_field(8, bytes_field(1, b"") + varint_field(2, 17))
    return varint_field(1, 8) + bytes_field(2, b"hand") + bytes_field(7, of_graph) + opset + metadata


def small_network(seed: int = 0) -> bytes:
    """A convolution with batch norm, a relu and a linear layer, which runs."""
    random = np.random.default_rng(seed)

    def numbers(*shape: int) -> NDArray[np.float32]:
        return random.standard_normal(shape).astype(np.float32)

    initializers = [
        tensor("conv.weight", numbers(4, 3, 3, 3)),
        tensor("conv.bias", numbers(4)),
        tensor("norm.weight", numbers(4), raw=False),
        tensor("norm.bias", numbers(4)),
        tensor("norm.mean", numbers(4)),
        tensor("norm.var", np.abs(numbers(4)) + np.float32(0.5)),
        tensor("shape", np.array([1, -1], np.int64)),
        tensor("linear.weight", numbers(4 * 6 * 6, 5)),
        tensor("linear.bias", numbers(5)),
    ]
    nodes = [
        node("Conv", ["x", "conv.weight", "conv.bias"], ["c"], name="conv"),
        node(
            "BatchNormalization",
            ["c", "norm.weight", "norm.bias", "norm.mean", "norm.var"],
            ["n"],
            attribute("epsilon", number=1e-3),
            name="norm",
        ),
        node("Relu", ["n"], ["r"]),
        node("Reshape", ["r", "shape"], ["f"]),
        node("Gemm", ["f", "linear.weight", "linear.bias"], ["y"], name="linear"),
    ]
    return model(graph(nodes, initializers, [value_info("x", 1, 3, 8, 8)], [value_info("y", 1, 5)]))
