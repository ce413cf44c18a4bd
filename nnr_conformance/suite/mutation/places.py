"""Where faults are put: a walk over a module's statements and expressions that leaves out what decides nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nnr_conformance.suite.mutation.exclusions import (
    GUARDS,
    KEYWORDS,
    MESSAGES,
    STATEMENT_CALLS,
    STATEMENTS,
    TYPES,
    excluded,
)
from nnr_conformance.suite.mutation.operators import (
    augmented,
    called_name,
    expression_faults,
    is_not,
    is_text,
    opposite,
    text_of,
)

LEFT_OUT = (ast.Assert, ast.Delete, ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal)
"""Statements without faults: they check types, free memory, or name things."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One fault: the text `text` replaces the span (first line, first byte, last line, end byte) of the source.

    `function`: qualified name of the function, or of what a statement of the module defines. `lines`: those of which
    one is run when the fault is; empty when the fault acts while the module is imported. `around`: first and last line
    of the outermost function around it.
    """

    operator: str
    function: str
    span: tuple[int, int, int, int]
    text: str
    lines: tuple[int, ...]
    around: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class _Walk:
    module: str
    function: str = ""
    in_function: bool = False
    lines: tuple[int, ...] = ()
    around: tuple[int, int] = (0, 0)
    assigned: set[str] = field(default_factory=set)

    def edit(self, operator: str, node: ast.expr | ast.stmt, text: str) -> Edit:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        span = (node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)
        lines = self.lines if self.in_function else ()
        return Edit(operator, self.function or "(module)", span, text, lines, self.around)

    def statements(self, body: list[ast.stmt]) -> Iterator[Edit]:
        for number, statement in enumerate(body):
            yield from self.statement(statement, last=number == len(body) - 1)

    def statement(self, node: ast.stmt, last: bool) -> Iterator[Edit]:
        if isinstance(node, LEFT_OUT) or _is_text_statement(node) or _is_guard(node):
            return
        if isinstance(node, ast.FunctionDef):
            yield from self._definition(node)
        elif isinstance(node, ast.ClassDef):
            inner = _Walk(self.module, _inside(self.function, node.name))
            if not excluded(self.module, inner.function):
                yield from inner.statements(node.body)
        elif isinstance(node, ast.If | ast.While | ast.For | ast.With | ast.Try):
            yield from self._compound(node)
        else:
            yield from self._simple(node, last)

    def _definition(self, node: ast.FunctionDef) -> Iterator[Edit]:
        assert node.end_lineno is not None
        around = self.around if self.in_function else (node.lineno, node.end_lineno)
        inner = _Walk(self.module, _inside(self.function, node.name), in_function=True, around=around)
        if excluded(self.module, inner.function):
            return
        arguments = node.args
        outer = _Walk(self.module, inner.function, self.in_function, self.lines, self.around)
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                yield from outer.expression(default)
        inner.assigned = {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        yield from inner.statements(node.body)

    def _compound(self, node: ast.If | ast.While | ast.For | ast.With | ast.Try) -> Iterator[Edit]:
        if isinstance(node, ast.If) and not node.orelse and all(map(_is_text_statement, node.body)):
            # What stands under the condition decides nothing, and so does the condition.
            return
        if isinstance(node, ast.If | ast.While):
            self.lines = _lines(node.test)
            yield from self._condition(node.test)
        elif isinstance(node, ast.For):
            self.lines = _lines(node.iter)
            yield from self.expression(node.iter)
            self._assign([node.target])
        elif isinstance(node, ast.With):
            for item in node.items:
                self.lines = _lines(item.context_expr)
                yield from self.expression(item.context_expr)
        yield from self.statements(node.body)
        for handler in getattr(node, "handlers", ()):
            yield from self.statements(handler.body)
        yield from self.statements(getattr(node, "orelse", []))
        yield from self.statements(getattr(node, "finalbody", []))

    def _condition(self, test: ast.expr) -> Iterator[Edit]:
        single = isinstance(test, ast.Compare) and len(test.ops) == 1
        if not single and not is_not(test):
            yield self.edit("negated_condition", test, text_of(opposite(test)))
        yield from self.expression(test)

    def _simple(self, node: ast.stmt, last: bool) -> Iterator[Edit]:
        if not self.in_function:
            name = _defined(node)
            outer, self.function = self.function, _inside(self.function, name) if name else self.function
            if not excluded(self.module, self.function):
                yield from self._inside_simple(node)
            self.function = outer
            return
        self.lines = _lines(node)
        if self._can_be_dropped(node, last):
            yield self.edit("dropped_statement", node, "pass")
        if isinstance(node, ast.Continue):
            yield self.edit("loop_control", node, "break")
        elif isinstance(node, ast.Break):
            yield self.edit("loop_control", node, "continue")
        elif isinstance(node, ast.AugAssign):
            for operator, text in augmented(node):
                yield self.edit(operator, node, text)
        yield from self._inside_simple(node)
        self._assign(getattr(node, "targets", []))

    def _inside_simple(self, node: ast.stmt) -> Iterator[Edit]:
        for target in getattr(node, "targets", [getattr(node, "target", None)]):
            if isinstance(target, ast.Subscript):
                yield from self.expression(target)
        for part in (getattr(node, "value", None), getattr(node, "exc", None)):
            if isinstance(part, ast.expr):
                yield from self.expression(part)

    def _can_be_dropped(self, node: ast.stmt, last: bool) -> bool:
        """Without these statements the rest still has all its names, so that the fault is not a trivial one."""
        if isinstance(node, ast.Assign):
            if self.function.endswith("__init__") and isinstance(node.value, ast.Name):
                return False
            return all(self._is_reset(target) for target in node.targets)
        if isinstance(node, ast.Return):
            return not last or self._inside_branch(node)
        if isinstance(node, ast.Expr):
            return isinstance(node.value, ast.Call | ast.Yield | ast.YieldFrom)
        return isinstance(node, ast.AugAssign | ast.Raise | ast.Continue | ast.Break)

    def _inside_branch(self, node: ast.stmt) -> bool:
        return node.col_offset > 4 * (self.function.count(".") + 1)

    def _is_reset(self, target: ast.expr) -> bool:
        if isinstance(target, ast.Tuple):
            return all(self._is_reset(one) for one in target.elts)
        if isinstance(target, ast.Starred):
            return self._is_reset(target.value)
        return not isinstance(target, ast.Name) or target.id in self.assigned

    def _assign(self, targets: list[ast.expr]) -> None:
        self.assigned.update(one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))

    def expression(self, node: ast.expr) -> Iterator[Edit]:
        """The faults of an expression and of all inside it."""
        if is_text(node) or (isinstance(node, ast.Call) and called_name(node) in TYPES):
            return
        for operator, text in expression_faults(node):
            yield self.edit(operator, node, text)
        if isinstance(node, ast.Call):
            yield from self._call(node)
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            yield from self._comprehension(node)
        elif isinstance(node, ast.Lambda):
            yield from self.expression(node.body)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    yield from self.expression(child)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Iterator[Edit]:
        if isinstance(node, ast.DictComp):
            yield from self.expression(node.key)
            yield from self.expression(node.value)
        else:
            yield from self.expression(node.elt)
        for loop in node.generators:
            yield from self.expression(loop.iter)
            for test in loop.ifs:
                yield from self._condition(test)

    def _call(self, node: ast.Call) -> Iterator[Edit]:
        name = called_name(node)
        if isinstance(node.func, ast.Attribute):
            yield from self.expression(node.func.value)
        messages = MESSAGES.get(name, ())
        for number, argument in enumerate(node.args):
            if number not in messages:
                yield from self.expression(argument)
        for keyword in node.keywords:
            if keyword.arg not in KEYWORDS or (name == "OutOfBand" and keyword.arg == "default"):
                yield from self.expression(keyword.value)


def edits(module: str, source: str) -> Iterator[Edit]:
    """All faults of a module's source; `module` is its name below the package."""
    if not excluded(module, ""):
        yield from _Walk(module).statements(ast.parse(source).body)


def _is_text_statement(node: ast.stmt) -> bool:
    """Docstrings, texts of messages, names of tools, counts for reports."""
    if isinstance(node, ast.Expr):
        if isinstance(node.value, ast.Constant):
            return True
        if isinstance(node.value, ast.Call) and called_name(node.value) in STATEMENT_CALLS:
            return True
        function = node.value.func if isinstance(node.value, ast.Call) else None
        owner = function.value if isinstance(function, ast.Attribute) else None
        return isinstance(owner, ast.Attribute | ast.Name) and _last_name(owner) in STATEMENTS
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(one, ast.Attribute | ast.Name) and _last_name(one) in STATEMENTS for one in targets)


def _is_guard(node: ast.stmt) -> bool:
    """A check of what the caller gives."""
    if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1:
        return False
    only = node.body[0]
    return isinstance(only, ast.Raise) and isinstance(only.exc, ast.Call) and called_name(only.exc) in GUARDS


def _last_name(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _defined(node: ast.stmt) -> str:
    """What a statement of a module or a class gives a name to."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    nodes = (one for target in targets if target is not None for one in ast.walk(target))
    return next((one.id for one in nodes if isinstance(one, ast.Name)), "")


def _inside(outer: str, name: str) -> str:
    return f"{outer}.{name}" if outer else name


def _lines(node: ast.stmt | ast.expr) -> tuple[int, ...]:
    assert node.end_lineno is not None
    return tuple(range(node.lineno, node.end_lineno + 1))
