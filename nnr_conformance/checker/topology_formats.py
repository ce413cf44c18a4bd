"""Exchange formats of topology and quantization data, as far as names of tensors can be found in them.

NNEF (Khronos) is text, ONNX is a protocol buffer. Nothing is interpreted beyond that, and no data is executed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from nnr_conformance.bits import Buffer

_GRAPH = re.compile(r"\bgraph\b")
_LABEL = re.compile(r"\blabel\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_QUANTIZED = re.compile(r"\s*(?:\"[^\"]*\"|'[^']*')\s*:\s*\w+\s*\(")

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_MODEL_GRAPH, _GRAPH_INITIALIZER, _TENSOR_NAME = 7, 5, 8
_MODEL_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})
_GRAPH_FIELDS = frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16})


def nnef_labels(data: bytes) -> frozenset[str] | None:
    """Labels of the variables of an NNEF graph, None for anything else than text that declares a graph."""
    text = _text(data)
    if text is None or _GRAPH.search(text) is None:
        return None
    return frozenset(double or single for double, single in _LABEL.findall(text))


def is_nnef_quantization(data: bytes) -> bool:
    """True for lines that each give a quoted tensor label and the operation by which it was quantized."""
    text = _text(data)
    if text is None:
        return False
    lines = (line.partition("#")[0] for line in text.splitlines())
    return all(_QUANTIZED.match(line) for line in lines if line.strip())


def onnx_initializers(data: bytes) -> frozenset[str] | None:
    """Names of the initializers of a serialized ONNX model or graph, None for anything else."""
    try:
        fields = list(_fields(memoryview(data)))
        numbers = {number for number, _ in fields}
        graphs = [content for number, content in fields if number == _MODEL_GRAPH and content is not None]
        if graphs and numbers <= _MODEL_FIELDS:
            fields = list(_fields(graphs[0]))
            numbers = {number for number, _ in fields}
        if not numbers or not numbers <= _GRAPH_FIELDS:
            return None
        tensors = [content for number, content in fields if number == _GRAPH_INITIALIZER and content is not None]
        return frozenset(
            bytes(content).decode("utf-8", "replace")
            for tensor in tensors
            for number, content in _fields(tensor)
            if number == _TENSOR_NAME and content is not None
        )
    except ValueError:
        return None


def _text(data: bytes) -> str | None:
    try:
        return data.removesuffix(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        return None


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """The fields of a message: number, and content if it is a sequence of bytes. Raises ValueError."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        content = None
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _BYTES:
            size, at = _varint(data, at)
            content = data[at : at + size]
            at += size
        elif kind in (_FIXED32, _FIXED64):
            at += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError("a wire type that is not in use")
        if at > len(data):
            raise ValueError("a field goes beyond its message")
        yield tag >> 3, content


def _varint(data: Buffer, at: int) -> tuple[int, int]:
    number = 0
    for index in range(_LONGEST_VARINT):
        if at + index >= len(data):
            break
        byte = data[at + index]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, at + index + 1
    raise ValueError("an integer does not end")
