"""What is not mutated, and why: code that decides nothing about the tensors, digests and diagnostics of a stream.

Every exclusion is a row of one of these tables, so that a reader sees all that a percentage leaves out.
"""

from __future__ import annotations

_GENERATED = "generated parsers; mutants are parsed by their declarations, and both are compared unit by unit elsewhere"

MODULES = {
    "syntax.describe": "writes syntax tables; decoding does not use it",
    "syntax.expression_source": _GENERATED,
    "syntax.specialised": _GENERATED,
    "syntax.repeated_units": _GENERATED,
    "syntax.notes": "says in words what values mean; decoding does not use it",
    "syntax.semantics": "reads the rows that explain elements; decoding does not use it",
    "decoder.digests": "measures the outcome by which mutants are judged",
    "decoder.how": "holds options of the caller and decides nothing",
    "decoder.some_rows": "decodes parts of tensors; compared with whole ones elsewhere",
    "entropy.block_rows": "as decoder.some_rows; mutants run without threads",
    "decoder.threads": "spreads work over threads; mutants run without, and both are compared elsewhere",
    "decoder.payload_readings": "says in reports on which readings a verdict depends",
    "entropy.retrace": "finds trellis states of given levels, for encoders; decoding does not use it",
    "entropy.trellis": "as entropy.retrace",
    "entropy.scan": "as entropy.retrace, which uses it",
    "entropy.zero_runs": "writes compiled loops; mutants run interpreted",
    "entropy.automaton": "as entropy.zero_runs",
    "entropy.pair_loop": "as entropy.zero_runs",
    "entropy.pairs": "as entropy.zero_runs",
    "entropy.payload_loop": "as entropy.zero_runs",
}
"""Modules of the decoder's packages that are left out as a whole."""

_BUILDS = "builds streams; decoding does not use it"
_EXPLAINS = "text for reports and syntax tables"
_READINGS = "serves reports, which say on which readings a verdict depends"
_PARTS = "decodes parts of tensors; compared with whole ones elsewhere, and mutants run without threads"
_COMPILED = "compiled execution; mutants run interpreted, and both are compared stream by stream elsewhere"

FUNCTIONS = {
    "bits:BitWriter": _BUILDS,
    "scope:TreeSource": _BUILDS,
    "syntax.declaration:If.branches": _GENERATED,
    "syntax.declaration:For.element_names": _GENERATED,
    "syntax.declaration:Structure.build_tree": _BUILDS,
    "syntax.declaration:Structure.build_bytes": _BUILDS,
    "syntax.unit_parser:build_unit": _BUILDS,
    "entropy.binding:bound_retrace": "as entropy.retrace",
    "entropy.binarization:count_bins": "counts bins for encoders; decoding does not use it",
    "decoder.mapping:mapped_shapes": "shapes before decoding, for callers; decoding does not use it",
    "expressions:ceil_div": "no declaration uses it at present",
    "expressions:names": "says what an expression looks at, for those who make trees; decoding does not use it",
    "entropy.capacity:_listed": _EXPLAINS,
    "decoder.stream:StreamDecoder._note_pruned": "keeps what model files are made of; decoding does not use it",
    "decoder.tensors:CodedTensor.codebook_size": "counts tensors for reports; decoding does not use it",
    "decoder.unit_header:UnitHeader.path": "names the place of a diagnostic in words; its bits are compared",
    "decoder.unit_header:_TOOL_OF_TYPE": "names the tools of a unit for reports",
    "entropy.memory:CompiledMemory": _COMPILED,
    "entropy.engine:decode_zeros": _COMPILED,
    "entropy.engine:decode_bin_branchless": _COMPILED,
    "entropy.binding:COMPILED_FROM": _COMPILED,
    "entropy.binding:COMPILED_FROM_WHEN_LOADED": _COMPILED,
    "entropy.binding:COMPILED_FROM_WHEN_KEPT": _COMPILED,
    "entropy.binding:LOOPS": _COMPILED,
    "entropy.binding:Loop": _COMPILED,
    "entropy.binding:_compiled_from": _COMPILED,
    "entropy.binding:is_loaded": _COMPILED,
    "entropy.binding:is_kept": _COMPILED,
    "entropy.binding:bound_compiled": _COMPILED,
    "entropy.binding:load_compiled": _COMPILED,
    "entropy.binding:compile_loop": _COMPILED,
    "entropy.binding:_helpers": _COMPILED,
    "entropy.binding:compiled_available": _COMPILED,
    "entropy.binding:choose_execution": _COMPILED,
    "entropy.binding:_pure": _COMPILED,
    "entropy.binding:_numba_installed": _COMPILED,
    "entropy.binding:_compiled": _COMPILED,
    "entropy.binding:_compile": _COMPILED,
    "entropy.binding:_as_arrays": _COMPILED,
    "entropy.binding:_compiled_code": _COMPILED,
    "entropy.binding:_digest": _COMPILED,
    "entropy.payload:runs_compiled": _COMPILED,
    "entropy.together:decode_plain": _COMPILED,
    "entropy.together:_result": _COMPILED,
    "entropy.payload:ELEMENTS_PER_WORK_BIT": _COMPILED,
    "entropy.payload:PayloadDecoder.payload_bytes": _PARTS,
    "entropy.payload:PayloadDecoder.go_on_behind": _PARTS,
    "entropy.payload:PayloadDecoder._in_parts": _PARTS,
    "entropy.payload:ELEMENTS_FOR_THREADS": _PARTS,
    "entropy.weights:WeightLoop.run_rows": _PARTS,
    "expressions:linear": _EXPLAINS,
    "expressions:_add_terms": _EXPLAINS,
    "expressions:render": _EXPLAINS,
    "expressions:_render_binary": _EXPLAINS,
    "expressions:_render_function": _EXPLAINS,
    "expressions:_operand": _EXPLAINS,
    "expressions:_rank": _EXPLAINS,
    "expressions:_is_condition": _EXPLAINS,
    "syntax.declaration:walk": _EXPLAINS,
    "syntax.compressed_data:parameter_types": _EXPLAINS,
    "syntax.parameter_sets:_method_flags.methods": _EXPLAINS,
    "syntax.enumerations:unit_type_name": _EXPLAINS,
    "decoder.compressed_data:_note_tools": "names the tools of a unit for reports",
    "decoder.stream:UnitSummary": _EXPLAINS,
    "decoder.stream:StreamDecoder._note_unit": _EXPLAINS,
    "decoder.stream:StreamDecoder.tracing": "the trace is the same when it is made later",
    "decoder.stream:StreamDecoder._new_trace": "the trace is the same when it is made later",
    "readings:Readings.mark": _READINGS,
    "readings:Readings.recording": _READINGS,
    "readings:Readings.but": _READINGS,
    "readings:Readings.is_default": _READINGS,
}
"""Functions, classes and constants by module and qualified name, with all that is inside."""

METHODS = {
    "__repr__": _EXPLAINS,
    "__str__": _EXPLAINS,
    "label": _EXPLAINS,
    "meaning": _EXPLAINS,
    "write": _BUILDS,
    "_build": _BUILDS,
    "_sizeof": _BUILDS,
}
"""Methods of any class by name."""

KEYWORDS = {
    "message": _EXPLAINS,
    "path": "names the place of a diagnostic in words; its bits are compared",
    "note": _EXPLAINS,
    "enum": _EXPLAINS,
    "hint": _EXPLAINS,
    "default": _BUILDS,
    "strict": "a check of equal lengths that never fails",
    "repr": _EXPLAINS,
    "specialise": _GENERATED,
    "compare": "no decoder compares objects that have such fields",
}
"""Arguments by keyword; `OutOfBand(default=)` is mutated all the same, because decoding uses it."""

MESSAGES = {
    "report": (1,),
    "stop": (1,),
    "diagnose": (1,),
    "EntropyFault": (3,),
    "Note": (3,),
    "_invalid": (0, 1),
    "_stop": (1,),
    "UsageError": (0,),
    "BuildError": (0,),
    "TypeError": (0,),
    "ValueError": (0,),
    "field": (0, 1, 2),
}
"""Positions of arguments that are text for people, by the name of the function."""

STATEMENTS = {
    "message": "assigns the text of a message",
    "tools": "names the tools of a stream for reports",
    "undecoded": "lists units for reports",
}
"""Statements that assign to a name, or call a method of an attribute, of this name."""

STATEMENT_CALLS = {
    "met": "counts for reports how often a rule was met",
    "observe": "counts for coverage how often a condition holds and a loop runs",
    "_note_tools": "names the tools of a unit for reports",
    "_note_unit": _EXPLAINS,
    "mark": _READINGS,
    "mark_payload": _READINGS,
}
"""Calls of functions and methods of this name that are statements."""

GUARDS = {"UsageError": "tells a caller that its arguments make no sense; no stream gets there"}
"""Exceptions; an `if` that does nothing but raise one of them is left out with its condition."""

TYPES = ("cast", "TypeVar", "NewType")
"""Calls that speak to the type checker alone."""


def excluded(module: str, function: str) -> str:
    """Why a function (or class, or constant) of a module is not mutated; empty when it is."""
    if module in MODULES:
        return MODULES[module]
    parts = function.split(".")
    for count in range(1, len(parts) + 1):
        reason = FUNCTIONS.get(f"{module}:{'.'.join(parts[:count])}")
        if reason is not None:
            return reason
    return METHODS.get(parts[-1], "") if len(parts) > 1 else ""
