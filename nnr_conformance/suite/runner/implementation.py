"""What an implementation is: how it is reached, how it says no, and what it claims to do.

A declaration is a YAML file (schema: `spec/schemas/implementation.schema.json`), a command template, or the name of an
adapter. A command template is split into words like a shell does, without a shell; in it stand

- ``{stream}``: the stream file; ``{streams}``: the files of a chain in order, as so many words;
- ``{settings}``: a JSON file of what is agreed beside the streams (`out_of_band`, `readings`, `limits`, `edition`);
- ``{base}``: a file with the tensors of the model that the first stream updates;
- ``{tensors}``: where the decoder writes the model (an encoder finds its input there); ``{levels}``, ``{dequantized}``
  and ``{trace}``: where it may write these;
- for an encoder also ``{before}``: the streams that it is to update, in order, as so many words; ``{options}``: a JSON
  file with the options of the working point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DECODER_PLACES = frozenset({"stream", "streams", "base", "settings", "tensors", "levels", "dequantized", "trace"})
ENCODER_PLACES = frozenset({"stream", "tensors", "before", "options"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one case may take: wall-clock seconds, bytes of address space, bytes of a file that is written."""

    seconds: float = 60.0
    memory: int = 4 << 30
    output: int = 1 << 30


@dataclass(frozen=True, slots=True)
class Implementation:
    """An implementation under test.

    `decoder`, `encoder`: command templates; `adapter`: name of an entry point, or ``module:name``; either the templates
    or the adapter. `suffix`: format of tensor files that commands read and write, ``.npz`` or ``.safetensors``.
    `rejection_codes`, `unsupported_codes`: exit codes that are declared to mean that. `rejections`: qualified names of
    exceptions that are rejections (``builtins.ValueError``); subclasses count. `editions`, `tools`: what is claimed, as
    in the manifest; None: everything. `readings`: choices that are declared. `environment`: variables for its
    processes.
    """

    name: str
    version: str
    decoder: str = ""
    encoder: str = ""
    adapter: str = ""
    suffix: str = ".npz"
    rejection_codes: tuple[int, ...] = (1,)
    unsupported_codes: tuple[int, ...] = ()
    rejections: tuple[str, ...] = ()
    editions: tuple[int, ...] | None = None
    tools: frozenset[str] | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    bounds: Bounds = Bounds()
