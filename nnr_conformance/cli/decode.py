"""nnr-decode: streams to tensors in a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnr_conformance.api import ChainDecoder, chain_decoder
from nnr_conformance.checker.check import check_chain
from nnr_conformance.cli.model_files import MODEL_FORMATS, SUFFIXES, is_model_file, model_bytes, tensors_in
from nnr_conformance.cli.progress import Progress, advise
from nnr_conformance.cli.running import run
from nnr_conformance.cli.settings_file import read_settings
from nnr_conformance.cli.streams import ReadPages, add_common_options, limits_of, read_out_of_band, read_streams
from nnr_conformance.decoder.model import NamedTensor
from nnr_conformance.decoder.tensors import DecodedUnit
from nnr_conformance.diagnostics import Severity
from nnr_conformance.errors import UsageError
from nnr_conformance.limits import DEFAULT_LIMITS
from nnr_conformance.readings import Readings
from nnr_conformance.report.model import Report, Verdict, grouped, verdict_of, worst
from nnr_conformance.report.text import render_groups
from nnr_conformance.syntax.enumerations import TPL_ONNX
from nnr_conformance.tensor_files import Restore, TensorWriter, open_writer
from nnr_conformance.version import VERSION

if TYPE_CHECKING:
    from nnr_conformance.decoder.some_rows import SomeRows

EPILOG = """\
The result is the model ready to use: local scaling applied, factors G and H multiplied. Several streams are one chain:
a model (or --base), then its updates in order, which are added. With --transmitted the tensors of the last stream are
written as they were transmitted, under their names in the stream; with --levels-output and --dequantized-output they
are written beside the model. With --check all rules are checked first, and only conforming streams are decoded.

A .onnx file is made from the topology that a stream carries, and needs all tensors of the model.

exit codes: 0 decoded, 1 the stream is wrong (what could be decoded is written, with --check nothing), 2 wrong use,
3 something is missing (such as the parent of an update) or a limit was hit

example: nnr-decode model.nnr -o model.npz
         nnr-decode base.nnr update1.nnr update2.nnr -o model.safetensors
         nnr-decode model.nnr -o model.onnx
         nnr-decode model.nnr --layers /encoder/ -o encoder.npz
         nnr-decode model.nnr --tensor conv1.weight --levels -o conv1.npz
"""


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(
        prog="nnr-decode",
        description="Decode streams of ISO/IEC 15938-17 (NNR / NNC) into tensors.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("streams", nargs="+", metavar="STREAM", help="stream file")
    options.add_argument("-o", "--output", required=True, metavar="OUT", help=f"file to write: {SUFFIXES}")
    options.add_argument(
        "--tensor", action="extend", nargs="+", metavar="NAME", help="only these tensors (name them behind the streams)"
    )
    options.add_argument(
        "--layers",
        nargs="+",
        metavar="NODE",
        help="only the tensors of these nodes of the carried ONNX graph; NODE/ for all whose names begin so",
    )
    options.add_argument("--transmitted", action="store_true", help="tensors of the last stream as transmitted")
    options.add_argument(
        "--rows",
        metavar="A:B",
        help="of one --tensor only rows A to B - 1; where entry points allow it, only their block rows are decoded",
    )
    options.add_argument(
        "--levels", action="store_true", help="write the integers before dequantization instead of values"
    )
    options.add_argument("--levels-output", metavar="FILE", help="also write the integers before dequantization there")
    options.add_argument("--dequantized-output", metavar="FILE", help="also write the transmitted tensors there")
    options.add_argument("--check", action="store_true", help="check all rules first; write nothing unless conforming")
    options.add_argument(
        "--settings",
        metavar="FILE",
        help="JSON file with readings, limits, edition, out_of_band, tensors, as a conformance suite writes it",
    )
    options.add_argument(
        "--replace", action="store_true", help="of tensors with the same name write the last, not the others as well"
    )
    options.add_argument("--base", metavar="FILE", help="file with the model to update")
    add_common_options(options)
    options.add_argument(
        "--threads", type=int, metavar="N", help="payloads that are decoded at a time (default: one for each core)"
    )
    options.add_argument("-q", "--quiet", action="store_true", help="print problems only")
    options.add_argument("--version", action="version", version=f"nnr-decode {VERSION}")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of nnr-decode; returns the exit code."""
    arguments = parser().parse_args(argv)
    return run("nnr-decode", lambda: _main(arguments))


def _main(arguments: argparse.Namespace) -> int:
    if (arguments.transmitted or arguments.levels) and (arguments.levels_output or arguments.dequantized_output):
        raise UsageError("--levels-output and --dequantized-output go with a model as the result")
    rows = _rows(arguments)
    settings = read_settings(arguments.settings)
    streams = read_streams(arguments.streams)
    advise(sum(map(len, streams)))
    if arguments.layers:
        arguments.tensor = [*(arguments.tensor or ()), *_tensors_of_layers(streams, arguments)]
    wanted = settings.tensors if arguments.tensor is None else arguments.tensor
    chain = chain_decoder(
        streams,
        transmitted=arguments.transmitted or arguments.levels,
        base={} if arguments.base is None else tensors_in(arguments.base),
        tensors=wanted,
        readings=Readings.choose({**settings.readings, **Readings.choose(arguments.reading).chosen}),
        limits=limits_of(arguments.limit, replace(DEFAULT_LIMITS, **settings.limits)),
        threads=arguments.threads,
        out_of_band={**settings.out_of_band, **read_out_of_band(arguments.out_of_band)},
    )
    if arguments.check:
        report = _checked(chain, settings.edition)
        if report.verdict.exit_code:
            return _refused(report)
    chain.digesting, chain.with_levels = False, bool(arguments.levels or arguments.levels_output)
    if rows is not None and len(streams) == 1 and not chain.base:
        chain.decode_data = rows
    written = _Written(dropping=arguments.replace)
    try:
        _write_all(arguments, chain, written, rows)
    except UsageError:
        # Of a wrong stream a model may lack tensors, and then that is what is wrong.
        if not is_model_file(arguments.output) or worst(map(verdict_of, chain.findings)) is Verdict.CONFORMING:
            raise
        return _conclude(arguments, chain, None)
    return _conclude(arguments, chain, written)


def _write_all(arguments: argparse.Namespace, chain: ChainDecoder, written: _Written, rows: SomeRows | None) -> None:
    """Write what the chain gives. Raises UsageError for tensors that are asked for and not there."""
    with ExitStack() as files:
        files.callback(_show_progress(chain, "decoding").done)
        writer = files.enter_context(open_writer(arguments.output, _restore(arguments.output, chain)))
        _write_beside(chain, arguments, files)
        if arguments.levels:
            _write_levels(chain, writer, written)
        else:
            for tensor in chain:
                values = tensor.values if rows is None else _cut(tensor, rows)
                written.write(writer, tensor.name, values, tensor.label)
                del tensor
        missing = sorted(set(arguments.tensor or ()) - set(written.names))
        if missing and worst(map(verdict_of, chain.findings)) is Verdict.CONFORMING:
            raise UsageError(f"no tensor {', '.join(map(repr, missing))} in {arguments.streams[-1]}")


def _show_progress(chain: ChainDecoder, what: str) -> Progress:
    """Let the chain say how far it is, and give back what it read; the caller ends the progress."""
    progress = Progress(sum(map(len, chain.streams)), what)
    chain.on_progress, chain.on_read = progress.at, ReadPages(chain.streams).at
    return progress


def _checked(chain: ChainDecoder, edition: int | None) -> Report:
    """What nnr-check says of the chain, which stays as it was."""
    checked = replace(chain, decoders=[], findings=[], digests=[])
    progress = _show_progress(checked, "checking")
    try:
        return check_chain(checked, edition=edition)
    finally:
        progress.done()


def _restore(output: str, chain: ChainDecoder) -> Restore | None:
    """What makes a model file from the tensors and from the topology that the chain carries; None for other files."""
    if not is_model_file(output):
        return None
    suffix = Path(output).suffix.lower()

    from nnr_conformance.frameworks.carriage import carried_model  # noqa: PLC0415 - files of tensors need it not

    def restore(tensors: Mapping[str, NDArray[Any]]) -> bytes:
        carried = (one for decoder in chain.decoders for one in decoder.carried)
        pruned = {name: dims for decoder in chain.decoders for name, dims in decoder.pruned.items()}
        return model_bytes(carried_model(carried, MODEL_FORMATS[suffix], pruned), suffix, tensors)

    return restore


def _tensors_of_layers(streams: Sequence[memoryview], arguments: argparse.Namespace) -> list[str]:
    """Identifiers of the tensors that nodes of the carried graph use. Raises UsageError."""
    from nnr_conformance.frameworks import onnx  # noqa: PLC0415 - as in _restore
    from nnr_conformance.frameworks.carriage import carried_model  # noqa: PLC0415

    chain = chain_decoder(streams, tensors=[], readings=Readings.choose(arguments.reading))
    for _ in chain:
        """No tensor is wanted; the topology is in units of its own."""
    carried = carried_model((one for decoder in chain.decoders for one in decoder.carried), TPL_ONNX)
    if carried is None:
        raise UsageError("--layers needs an ONNX topology in a stream")
    return onnx.tensors_of_nodes(carried.topology, arguments.layers)


def _rows(arguments: argparse.Namespace) -> SomeRows | None:
    """The rows that are asked for. Raises UsageError."""
    if arguments.rows is None:
        return None
    first, colon, end = arguments.rows.partition(":")
    if not colon or not all(part.isdecimal() or not part for part in (first, end)):
        raise UsageError(f"--rows takes A:B, not {arguments.rows!r}")
    if len(arguments.tensor or ()) != 1 or arguments.levels or arguments.levels_output or arguments.dequantized_output:
        raise UsageError("--rows goes with one --tensor, and with a model as the result")
    from nnr_conformance.decoder.some_rows import SomeRows  # noqa: PLC0415 - decoding all starts sooner without it

    return SomeRows(int(first or 0), int(end) if end else None)


def _cut(tensor: NamedTensor, rows: SomeRows) -> NDArray[Any]:
    """The rows of a tensor that was decoded whole; what was cut while it was decoded stays."""
    if tensor.name in rows.cut:
        return tensor.values
    if not tensor.values.ndim:
        raise UsageError(f"tensor {tensor.name!r} has no rows")
    first, end = rows.bounds(len(tensor.values), tensor.name)
    return tensor.values[first:end]


def _refused(report: Report) -> int:
    codes = sorted({one.code for one in report.diagnostics if one.severity is Severity.ERROR})
    print(f"nnr-decode: {report.verdict.value}: {', '.join(codes)}; nnr-check says more", file=sys.stderr)
    return report.verdict.exit_code


def _write_beside(chain: ChainDecoder, arguments: argparse.Namespace, files: ExitStack) -> None:
    """Let the transmitted tensors of the last stream be written as they are decoded, where that was asked for."""
    levels = arguments.levels_output and files.enter_context(open_writer(arguments.levels_output))
    dequantized = arguments.dequantized_output and files.enter_context(open_writer(arguments.dequantized_output))
    in_levels, in_dequantized = _Written(), _Written()

    def write(number: int, unit: DecodedUnit) -> None:
        if number < len(chain.streams) - 1:
            return
        for coded in unit.tensors:
            if levels and coded.quantized is not None:
                in_levels.write(levels, coded.name, coded.quantized, unit.label)
            if dequantized:
                in_dequantized.write(dequantized, coded.name, _delivered(coded.values), unit.label)

    if levels or dequantized:
        chain.on_decoded = write


def _delivered(values: NDArray[Any]) -> NDArray[Any]:
    """The exact products of a codebook as binary32; beyond it is infinity."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32) if values.dtype == np.float64 else values


def _write_levels(chain: ChainDecoder, writer: TensorWriter, written: _Written) -> None:
    done = None
    for _, unit in chain.tensors_with_units():
        if unit is None or unit is done:
            continue
        done = unit
        for coded in unit.tensors:
            if coded.quantized is not None and (chain.wanted is None or coded.name in chain.wanted):
                written.write(writer, coded.name, coded.quantized, unit.label)


class _Written:
    """Names and sizes of what was written. A tensor replaces an earlier one of its name, which gets another name unless
    `dropping`."""

    def __init__(self, *, dropping: bool = False) -> None:
        self._dropping = dropping
        self.names: dict[str, str] = {}
        self.bytes = 0

    def write(self, writer: TensorWriter, name: str, values: NDArray[np.generic], label: str) -> None:
        """Write one tensor, from the unit `label`."""
        if name in self.names:
            self._replace(writer, name)
        writer.write(name, values)
        self.names[name] = label
        self.bytes += values.nbytes

    def _replace(self, writer: TensorWriter, name: str) -> None:
        if self._dropping:
            writer.remove(name)
            return
        before = self.names[name]
        kept = f"{name} ({before})"
        writer.rename(name, kept)
        self.names[kept] = before


def _conclude(arguments: argparse.Namespace, chain: ChainDecoder, written: _Written | None) -> int:
    """Say what was found and written, None for nothing; the exit code."""
    for path, stream, findings in zip(arguments.streams, chain.streams, chain.findings, strict=True):
        errors = grouped((found for found in findings if found.severity is Severity.ERROR), stream)
        if errors:
            print(f"{path}:", *render_groups(errors), sep="\n", file=sys.stderr)
    if written is None:
        print(f"{arguments.output}: not written, it needs all tensors of the model", file=sys.stderr)
    elif not arguments.quiet:
        print(f"{arguments.output}: {len(written.names)} tensors, {written.bytes} bytes")
    verdict = worst(verdict_of(findings) for findings in chain.findings)
    if verdict.exit_code:
        print(f"nnr-decode: {verdict.value}; nnr-check says more", file=sys.stderr)
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main())
