"""Clause 10: the weight loop with a short cut for runs of zeros, made from the plain loop for the compiled life.

`rows.decode_segment` says how weights are decoded and stays as it is. In trellis state 0 behind a zero, all that it
does until the next weight that is not zero is to decode bins with the first significance context; `engine.decode_zeros`
does that with the context variable in registers. `with_zero_runs` writes the call into the plain loop:

    for weight in range(first, end):           weight = first
        ...                                    while weight < end:
                                                   ...
        significant, ... = decode_bin(...)         if <run>:
                                                       weight, ... = decode_zeros(...)
                                                       if weight == end:
                                                           break
                                                       significant = 1
                                                   else:
                                                       significant, ... = decode_bin(...)
        ...                                        ...
                                                   weight += 1

The last line also comes before each `continue`.
"""

from __future__ import annotations
import __future__

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from types import CodeType, FunctionType
from typing import Any

RUN = """
if state == 0 and neighbour == 0 and not (use_base or use_history):
    weight, interval, value, ahead, position = decode_zeros(
        payload, counters0, counters1, SIG_NEIGHBOUR, weight, end, interval, value, ahead, position
    )
    if weight == end:
        break
    significant = 1
else:
    pass
"""
"""A base or a history would choose the context of each weight."""
LOOP = """
weight = first
while weight < end:
    weight += 1
"""


@cache
def with_zero_runs(function: Callable[..., None]) -> CodeType:
    """The code of `rows.decode_segment` with the short cut; the code as it is where its source is not installed.

    Raises ValueError for a function without the loop over weights or without the significance flag.
    """
    assert isinstance(function, FunctionType)
    try:
        lines, first_line = inspect.getsourcelines(function)
    except OSError:
        return function.__code__
    tree = ast.parse(textwrap.dedent("".join(lines)))
    writer = _Writer()
    tree = writer.visit(tree)
    if writer.written != ["flag", "loop"]:
        raise ValueError(f"no loop over weights in {function.__qualname__}")
    ast.increment_lineno(tree, first_line - 1)
    # Types of arguments need not exist in the other life.
    flags = __future__.annotations.compiler_flag
    module = compile(ast.fix_missing_locations(tree), function.__code__.co_filename, "exec", flags, dont_inherit=True)
    return next(code for code in module.co_consts if isinstance(code, CodeType))


class _Writer(ast.NodeTransformer):
    """Writes the short cut; `written` says what it found, the inner first."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def visit_For(self, node: ast.For) -> Any:
        self.generic_visit(node)
        if ast.unparse(node).startswith("for weight in range(first, end):"):
            self.written.append("loop")
            before, loop = _statements(LOOP, node)
            loop.body[:0] = node.body
            return [before, loop]
        return node

    def visit_Continue(self, node: ast.Continue) -> Any:
        return [*_statements("weight += 1", node), node]

    def visit_Assign(self, node: ast.Assign) -> Any:
        if ast.unparse(node).startswith("significant, "):
            self.written.append("flag")
            (choice,) = _statements(RUN, node)
            choice.orelse = [node]
            return choice
        return node


def _statements(text: str, place: ast.stmt) -> list[Any]:
    statements = ast.parse(text).body
    for node in (inner for statement in statements for inner in ast.walk(statement)):
        ast.copy_location(node, place)
    return statements
