"""NNCodec as a command, for the Python of any environment that has it: needs NNCodec and numpy alone.

    python nncodec_command.py decode STREAM... [--base BASE.npz] [--settings SETTINGS.json] -o TENSORS.npz
        [--levels L.npz] [--dequantized D.npz]
    python nncodec_command.py encode TENSORS.npz -o STREAM [--before STREAM...] [--options OPTIONS.json]

Exit codes: 0 done, 1 rejected, 3 not implemented; a traceback is none of these.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from nncodec_calls import REJECTIONS, VERSION, NotImplementedHere, chain_of

REJECTED, NOT_IMPLEMENTED = 1, 3


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    options = argparse.ArgumentParser(prog="nncodec_command")
    options.add_argument("--version", action="version", version=VERSION)
    commands = options.add_subparsers(required=True)
    decode = commands.add_parser("decode")
    decode.add_argument("streams", nargs="+", type=Path)
    decode.add_argument("--base", type=Path)
    decode.add_argument("--settings", type=Path)
    decode.add_argument("-o", dest="output", type=Path, required=True)
    decode.add_argument("--levels", type=Path)
    decode.add_argument("--dequantized", type=Path)
    decode.set_defaults(run=_decode)
    encode = commands.add_parser("encode")
    encode.add_argument("tensors", type=Path)
    encode.add_argument("-o", dest="output", type=Path, required=True)
    encode.add_argument("--before", nargs="*", type=Path, default=[])
    encode.add_argument("--options", type=Path)
    encode.set_defaults(run=_encode)
    return options


def _decode(arguments: argparse.Namespace) -> None:
    settings = {} if arguments.settings is None else json.loads(arguments.settings.read_text(encoding="utf-8"))
    if settings.get("out_of_band"):
        raise NotImplementedHere("decompress takes no parameters beside the stream")
    base = {} if arguments.base is None else _read(arguments.base)
    chain = chain_of([path.read_bytes() for path in arguments.streams], base)
    written = ((arguments.output, chain.tensors), (arguments.levels, chain.levels))
    for path, arrays in (*written, (arguments.dequantized, chain.dequantized)):
        if path is not None:
            wanted = settings.get("tensors", arrays)
            _write(path, {name: array for name, array in arrays.items() if name in wanted})


def _encode(arguments: argparse.Namespace) -> None:
    options = {} if arguments.options is None else json.loads(arguments.options.read_text(encoding="utf-8"))
    chain = chain_of([path.read_bytes() for path in arguments.before], {})
    stream = chain.encode(_read(arguments.tensors), options, update=bool(arguments.before))
    arguments.output.write_bytes(stream)


def _read(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def _write(path: Path, arrays: dict[str, Any]) -> None:
    # savez has a parameter `file`, which a tensor may be called as well.
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def main() -> int:
    """The exit code."""
    arguments = parser().parse_args()
    try:
        arguments.run(arguments)
    except NotImplementedHere as error:
        print(error, file=sys.stderr)
        return NOT_IMPLEMENTED
    except REJECTIONS as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return REJECTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
