"""nnr-encode: tensors in a file to a stream."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from nnr_conformance.api import cores
from nnr_conformance.cli.model_files import SUFFIXES, holds_tensors, is_model_file, read_model, tensors_in
from nnr_conformance.cli.progress import Progress
from nnr_conformance.cli.running import run
from nnr_conformance.cli.streams import read_streams
from nnr_conformance.encoder.model_encoder import EncodedModel, Tensors, encode_model, encode_update
from nnr_conformance.encoder.settings import DEFAULT_PRICE, DEFAULT_UNARY, BlockPlan, EncoderSettings
from nnr_conformance.encoder.sparsification import sparsify, threshold_for
from nnr_conformance.encoder.update_chain import ChainState
from nnr_conformance.errors import UsageError
from nnr_conformance.frameworks import onnx_pruning
from nnr_conformance.frameworks.carriage import units_of
from nnr_conformance.frameworks.onnx_blocks import find_blocks
from nnr_conformance.syntax.enumerations import TPL_ONNX
from nnr_conformance.version import VERSION

EPILOG = """\
Floats are quantized with a step size of 2^(QP / 2^DENSITY), linear between powers of two; integers and booleans are
sent as they are and have to fit 32 bits. A tensor without dimensions becomes one of one element. Empty tensors, and NaN
or infinities outside of --raw, are refused.

A block is a layer in one unit: --block WEIGHT[,BIAS[,BETA,GAMMA,MEAN,VARIANCE]]; an empty name leaves the bias out.
With --fold the batch norm goes into a scaling of the rows and the bias, which needs a name; it is not sent.

With --base the stream is an update: differences to a model that decoders have, a file like MODEL, or to a
chain of .nnr streams, whose integers and history are then used as contexts. Tensors that do not change are left out.

The topology of a .onnx file, all but the numbers of its weights, travels with them.

exit codes: 0 written, 2 wrong use, or a model that cannot be encoded like this, 3 out of memory

example: nnr-encode model.npz -o model.nnr
         nnr-encode model.safetensors -o model.nnr --dq --lambda 0.2 --qp -32 --scan 1
         nnr-encode model.npz -o model.nnr --codebook 16 --raw norm.weight norm.bias
         nnr-encode new.npz -o update.nnr --base model.nnr --dq
         nnr-decode model.nnr update.nnr -o decoded.npz
"""
BLOCK_NAMES = (1, 2, 6)
QP_DEFAULT, VECTOR_QP_DEFAULT, DENSITY_DEFAULT = -38, -75, 2


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(
        prog="nnr-encode",
        description="Encode tensors into a stream of ISO/IEC 15938-17 (NNR / NNC).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("model", metavar="MODEL", help=f"model file: {SUFFIXES}")
    options.add_argument("-o", "--output", required=True, metavar="OUT", help="stream file to write")
    _add_quantization(options.add_argument_group("quantization"))
    _add_coding(options.add_argument_group("coding"))
    carriage = options.add_argument_group("carriage")
    carriage.add_argument("--profile", type=int, choices=(0, 1), default=1, help="0: edition 1, 1: edition 2 (default)")
    carriage.add_argument("--base", nargs="+", metavar="FILE", help="encode an update of this model or these streams")
    carriage.add_argument(
        "--topology",
        choices=("deflate", "raw", "none"),
        default="deflate",
        help="how the topology of the model travels, where its file has one (default deflate)",
    )
    carriage.add_argument("--part-bytes", type=int, default=0, metavar="N", help="cut payloads into parts of N bytes")
    carriage.add_argument("--aggregate", action="store_true", help="put all tensors into one aggregate unit")
    carriage.add_argument(
        "--node-ids",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="number the tensors of a model, so that updates can name them (default)",
    )
    carriage.add_argument(
        "--keep-formats",
        action="store_true",
        help="say of tensors that were not of 32 bits what they were (formats beyond 1 are extensions)",
    )
    carriage.add_argument(
        "--indexed",
        action="store_true",
        help="list identifiers once, units have numbers; says what it saves",
    )
    options.add_argument(
        "--threads", type=int, metavar="N", help="tensors that are encoded at a time (default: one for each core)"
    )
    options.add_argument("-q", "--quiet", action="store_true", help="print problems only")
    options.add_argument("--version", action="version", version=f"nnr-encode {VERSION}")
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of nnr-encode; returns the exit code."""
    arguments = parser().parse_args(argv)
    return run("nnr-encode", lambda: _main(arguments))


def settings_of(arguments: argparse.Namespace) -> EncoderSettings:
    """The settings that the options ask for. Raises UsageError for a block that is not written as it must be."""
    return EncoderSettings(
        qp=arguments.qp,
        qp_density=arguments.qp_density,
        vector_qp=arguments.vector_qp,
        dq=arguments.dq,
        price=arguments.price,
        deadzone=arguments.deadzone,
        codebook=arguments.codebook,
        raw=frozenset(arguments.raw or ()),
        scan_order=arguments.scan,
        unary_length=arguments.unary,
        init_ids=arguments.init_ids,
        row_skip=arguments.row_skip,
        rank=arguments.decompose,
        blocked_factors=not arguments.separate_factors,
        blocks=tuple(_block(text, arguments) for text in arguments.block or ()),
        profile=arguments.profile,
        part_bytes=arguments.part_bytes,
        aggregate=arguments.aggregate,
        node_ids=arguments.node_ids,
        keep_formats=arguments.keep_formats,
        indexed=arguments.indexed,
    )


def _add_quantization(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--qp", type=int, default=QP_DEFAULT, help=f"quantization parameter (default {QP_DEFAULT})")
    group.add_argument(
        "--qp-density", type=int, default=DENSITY_DEFAULT, metavar="DENSITY", help=f"0 to 7 (default {DENSITY_DEFAULT})"
    )
    group.add_argument(
        "--vector-qp",
        type=int,
        default=VECTOR_QP_DEFAULT,
        metavar="QP",
        help=f"QP of tensors of one dimension (default {VECTOR_QP_DEFAULT})",
    )
    group.add_argument("--dq", action="store_true", help="dependent quantization")
    group.add_argument(
        "--lambda",
        dest="price",
        type=float,
        metavar="PRICE",
        help=f"price of a bit in squared steps: weigh rate against distortion (with --dq default {DEFAULT_PRICE})",
    )
    group.add_argument(
        "--deadzone", type=float, default=0.0, metavar="D", help="move borders between levels away from 0 by D steps"
    )
    group.add_argument("--codebook", type=int, default=0, metavar="SIZE", help="codebooks of at most SIZE entries")
    group.add_argument("--sparsify", type=float, default=0.0, metavar="SHARE", help="set this share of weights to 0")
    group.add_argument(
        "--prune", action="store_true", help="take channels of zeros out of a .onnx file; the model computes the same"
    )
    group.add_argument(
        "--raw", nargs="*", metavar="NAME", help="send these tensors as binary32 numbers; without names all of floats"
    )


def _add_coding(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--decompose", type=int, default=0, metavar="RANK", help="factors of this rank where they are smaller"
    )
    group.add_argument("--separate-factors", action="store_true", help="factors in units of their own")
    group.add_argument("--scan", type=int, default=0, metavar="ORDER", help="scan order: 0 rows, 1 to 4 blocks")
    group.add_argument(
        "--unary", type=int, default=DEFAULT_UNARY, metavar="N", help=f"greater-than flags (default {DEFAULT_UNARY})"
    )
    group.add_argument(
        "--init-ids", action=argparse.BooleanOptionalAction, default=True, help="choose initialization ids (default)"
    )
    group.add_argument("--row-skip", action="store_true", help="leave rows of zeros out")
    group.add_argument("--block", action="append", metavar="NAMES", help="tensors of a layer in one unit, see below")
    group.add_argument(
        "--blocks", action="store_true", help="find the layers in the graph of a .onnx file, each becomes a block"
    )
    group.add_argument("--fold", action="store_true", help="fold the batch norms of blocks")
    group.add_argument("--local-scaling", action="store_true", help="scale the rows of the weights of blocks")


def _main(arguments: argparse.Namespace) -> int:
    settings = settings_of(arguments)
    tensors: Tensors
    if is_model_file(arguments.model):
        tensors, settings = _framework_model(arguments, settings)
    else:
        tensors = dict(tensors_in(arguments.model))
    if arguments.raw == []:
        settings = replace(settings, raw=frozenset(name for name in tensors if tensors[name].dtype.kind == "f"))
    unknown = sorted(settings.raw - set(tensors))
    if unknown:
        raise UsageError(f"no tensor {', '.join(map(repr, unknown))} in {arguments.model}")
    if arguments.sparsify:
        tensors = sparsify(tensors, threshold_for(tensors, arguments.sparsify))
    threads = cores() if arguments.threads is None else arguments.threads
    if threads < 1:
        raise UsageError(f"{threads} threads")
    progress = Progress(sum(tensor.size for tensor in tensors.values()), "encoding")
    try:
        if arguments.base is None:
            encoded = encode_model(tensors, settings, progress.at, threads)
        else:
            encoded = encode_update(tensors, _chain(arguments.base), settings, progress.at, threads)
        _write(Path(arguments.output), encoded.data)
    finally:
        progress.done()
    if not arguments.quiet:
        print(_summary(arguments.output, encoded, len(tensors)))
    return 0


def _framework_model(arguments: argparse.Namespace, settings: EncoderSettings) -> tuple[Tensors, EncoderSettings]:
    """The tensors of a model file, and settings by which its topology travels; updates have that of their base."""
    model = read_model(arguments.model)
    with_graph = model.topology_format == TPL_ONNX and arguments.base is None
    if (arguments.blocks or arguments.prune) and not (with_graph and arguments.topology != "none"):
        raise UsageError("--blocks and --prune are for .onnx files, with their topology and without --base")
    if arguments.topology != "none" and arguments.base is None:
        units = units_of(model, deflate=arguments.topology == "deflate", part_bytes=arguments.part_bytes)
        settings = replace(settings, topology=units)
    tensors: Tensors = model.tensors
    if arguments.prune:
        pruned = onnx_pruning.prune(model.topology, tensors)
        tensors = pruned.tensors
        topology = (*settings.topology, *onnx_pruning.units_of(pruned))
        settings = replace(settings, topology=topology, parameter_set=onnx_pruning.parameter_set_of(pruned))
    return _with_blocks(model.topology, tensors, arguments, settings) if arguments.blocks else (tensors, settings)


def _with_blocks(
    topology: bytes, tensors: Tensors, arguments: argparse.Namespace, settings: EncoderSettings
) -> tuple[Tensors, EncoderSettings]:
    """Tensors and settings with the layers of the graph as blocks; tensors that are raw or in other blocks stay out."""
    if arguments.decompose:
        raise UsageError("--blocks and --decompose exclude each other")
    raw = {name for name in tensors if arguments.raw == [] or name in settings.raw}
    taken = {name for plan in settings.blocks for name in plan.names()} | raw
    free = {name: tensor for name, tensor in tensors.items() if name not in taken}
    found = find_blocks(topology, free, fold=arguments.fold, local_scaling=arguments.local_scaling)
    kept = {name: tensors[name] for name in taken if name in tensors}
    return {**found.tensors, **kept}, replace(settings, blocks=(*settings.blocks, *found.plans))


def _chain(paths: Sequence[str]) -> ChainState:
    """The chain that an update continues: streams, or one file of tensors."""
    if any(map(holds_tensors, paths)):
        if len(paths) > 1:
            raise UsageError("a base is one file of tensors, or streams")
        return ChainState.of_tensors(tensors_in(paths[0]))
    return ChainState.of_streams(read_streams(paths))


def _block(text: str, arguments: argparse.Namespace) -> BlockPlan:
    names = text.split(",")
    if len(names) not in BLOCK_NAMES:
        raise UsageError(f"a block is WEIGHT[,BIAS[,BETA,GAMMA,MEAN,VARIANCE]], not {text!r}")
    norm = tuple(names[2:])
    return BlockPlan(
        weight=names[0],
        bias=names[1] if len(names) > 1 else "",
        batch_norm=norm,
        fold=arguments.fold and bool(norm),
        local_scaling=arguments.local_scaling,
        rank=arguments.decompose,
    )


def _write(path: Path, data: bytes) -> None:
    """Write the stream; a file appears under its name only when it is complete."""
    unfinished = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot write {path}: {error.strerror if isinstance(error, OSError) else error}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _summary(output: str, encoded: EncodedModel, count: int) -> str:
    size = len(encoded.data)
    ratio = 100 * size / encoded.bytes_before if encoded.bytes_before else 0
    bits = 8 * size / encoded.weights if encoded.weights else 0
    saved = f"; indices save {encoded.bytes_by_name - size} bytes" if encoded.bytes_by_name != size else ""
    return (
        f"{output}: {count} tensors, {size} bytes, {ratio:.2f} % of {encoded.bytes_before}, {bits:.3f} bits per weight"
        f"{saved}"
    )


if __name__ == "__main__":
    sys.exit(main())
