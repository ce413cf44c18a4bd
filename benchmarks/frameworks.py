"""Real ONNX models through streams: bytes, and what onnxruntime makes of them before and after.

    python -m benchmarks.frameworks [CASE...] [--markdown] [--plot FILE.svg]

Each model is encoded at several working points, with its topology, decoded, and run on the same inputs. `difference`:
the largest one of an output number. `same`: decisions that are those of the original model; `right`: those that are
right, where that is known. Needs onnxruntime, and what `benchmarks.framework_cases` says.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.framework_cases import CASES, Case, Missing
from benchmarks.framework_picture import Mark, picture
from nnr_conformance.api import chain_decoder
from nnr_conformance.encoder.model_encoder import encode_model
from nnr_conformance.encoder.settings import EncoderSettings
from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks import onnx
from nnr_conformance.frameworks.carriage import carried_model, units_of
from nnr_conformance.frameworks.model import FrameworkModel
from nnr_conformance.frameworks.onnx_blocks import find_blocks
from nnr_conformance.syntax.enumerations import TPL_ONNX

_FOLDED = "--blocks --fold --local-scaling "
POINTS: Mapping[str, EncoderSettings | None] = {
    "--raw": None,
    "(default)": EncoderSettings(),
    "--dq --qp -32": EncoderSettings(dq=True, qp=-32),
    "--dq --qp -28": EncoderSettings(dq=True, qp=-28),
    "--dq --qp -24": EncoderSettings(dq=True, qp=-24),
    "--dq --qp -20": EncoderSettings(dq=True, qp=-20),
    _FOLDED + "--dq --qp -28": EncoderSettings(dq=True, qp=-28),
    _FOLDED + "--dq --qp -24": EncoderSettings(dq=True, qp=-24),
}
"""Working points, as options of nnr-encode; None sends binary32 numbers."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A model at a working point. `right` of the original is `right_before`; both None without labels."""

    case: str
    point: str
    bytes_before: int
    bytes_after: int
    difference: float
    same: float
    right_before: float | None
    right: float | None
    seconds: float


def measured(case: Case) -> Iterator[Measured]:
    """A case at all working points. Raises UsageError when raw numbers do not give the same file and outputs."""
    model = onnx.split(case.model)
    before = case.run(_session(case.model))
    for point, settings in POINTS.items():
        started = time.perf_counter()
        stream = encoded(model, settings, blocks=point.startswith(_FOLDED))
        seconds = time.perf_counter() - started
        again = decoded(stream)
        after = case.run(_session(again))
        if settings is None and (again != case.model or not np.array_equal(before, after)):
            raise UsageError(f"{case.name}: raw numbers do not give the same model")
        yield Measured(
            case.name,
            point,
            len(case.model),
            len(stream),
            float(np.abs(after - before).max()),
            float(np.mean(case.decide(after) == case.decide(before))),
            _right(case, before),
            _right(case, after),
            seconds,
        )


def encoded(model: FrameworkModel, settings: EncoderSettings | None, *, blocks: bool = False) -> bytes:
    """A stream with the topology of a model; None for raw numbers. `blocks`: layers as blocks, folded and scaled."""
    if settings is not None and blocks:
        found = find_blocks(model.topology, model.tensors, fold=True, local_scaling=True)
        return encode_model(found.tensors, replace(settings, topology=units_of(model), blocks=found.plans)).data
    if settings is None:
        settings = EncoderSettings(raw=frozenset(name for name, one in model.tensors.items() if one.dtype.kind == "f"))
    return encode_model(model.tensors, replace(settings, topology=units_of(model))).data


def decoded(stream: bytes) -> bytes:
    """The model file of a stream."""
    chain = chain_decoder(stream)
    tensors = {tensor.name: tensor.values for tensor in chain}
    found = carried_model(chain.decoders[0].carried, TPL_ONNX)
    assert found is not None
    return onnx.merge(found.topology, tensors)


def _session(model: bytes) -> Any:
    try:
        import onnxruntime  # noqa: PLC0415 - optional
    except ImportError as error:
        raise Missing("onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # sums in the same order every time
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _right(case: Case, found: np.ndarray[Any, Any]) -> float | None:
    return None if case.labels is None else float(np.mean(case.decide(found) == case.labels))


def rows(one: Measured) -> tuple[str, ...]:
    """The cells of a row of the table."""
    right = "" if one.right is None or one.right_before is None else f"{one.right:.1%} ({one.right_before:.1%})"
    return (
        one.case,
        one.point,
        str(one.bytes_after),
        f"{100 * one.bytes_after / one.bytes_before:.2f} %",
        f"{one.difference:.2g}",
        f"{one.same:.2%}",
        right,
    )


HEADINGS = ("model", "nnr-encode", "bytes", "of .onnx", "difference", "same", "right (before)")
WIDTHS = (10, 44, 9, 9, 11, 8, 16)


def main() -> int:
    """Print the table; exit code 3 when a case could not be run."""
    description = "Real ONNX models through streams: bytes, and what onnxruntime makes of them before and after."
    parser = argparse.ArgumentParser(prog="python -m benchmarks.frameworks", description=description)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(one.__name__ for one in CASES))
    parser.add_argument("--markdown", action="store_true", help="print the table as docs/frameworks.md has it")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="also draw sizes and decisions as SVG")
    arguments = parser.parse_args()
    _print(HEADINGS, markdown=arguments.markdown)
    if arguments.markdown:
        _print(["---"] * len(HEADINGS), markdown=True)
    skipped = 0
    marks: list[Mark] = []
    for make in CASES:
        if arguments.cases and make.__name__ not in arguments.cases:
            continue
        try:
            for one in measured(make()):
                _print(rows(one), markdown=arguments.markdown)
                marks.append(Mark(one.case, one.point, 100 * one.bytes_after / one.bytes_before, 100 * one.same))
        except Missing as missing:
            skipped += 1
            print(f"{make.__name__}: not run, {missing} is not installed", file=sys.stderr)
    if arguments.plot is not None and marks:
        arguments.plot.write_text(picture(marks), encoding="utf-8")
    return 3 if skipped else 0


def _print(cells: Any, *, markdown: bool) -> None:
    if markdown:
        print("|", " | ".join(cells), "|", flush=True)
    else:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
