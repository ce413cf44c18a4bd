"""``nnr:function``: a normative function, numbered steps in own words beside its source, and streams that run it."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes

from nnr_conformance.suite.coverage.items import exclusions
from nnr_conformance.suite.registry_rows import load_requirements
from nnr_sphinx.base import PageDirective
from nnr_sphinx.lines_run import code_lines, function_at, traced
from nnr_sphinx.pieces import Cell, Nodes, basis, code, link, mark, paragraph, prose, stream_link, table
from nnr_sphinx.steps import Step, first_paragraph, signature_text, steps_of

_NAME = re.compile(r"^[\w.]+:[\w.]+$")


class FunctionDirective(PageDirective):
    """Argument: a path such as ``nnr_conformance.entropy.engine:decode_bin``; content: the steps."""

    has_content = True
    option_spec = {"basis": str, "requirements": str}

    def page_part(self) -> Nodes:
        path = self.arguments[0]
        if not _NAME.match(path):
            raise ValueError("a function is given as module:name")
        function = function_at(path)
        steps = steps_of(function, "\n".join(self.content))
        anchor = f"fn-{path.replace(':', '-')}"
        self.note("fn", path, anchor, f"function {path}")
        where = path.replace(":", " · ").removeprefix("nnr_conformance.")
        said = first_paragraph(function)
        head = paragraph([nodes.strong(where, where), *([nodes.Text(" — "), *prose(said)] if said else [])])
        head["ids"].append(anchor)
        file = function.__code__.co_filename
        rows = (self._cells(number, step, function, file) for number, step in enumerate(steps, start=1))
        table_of_steps = table(("step", "source"), rows, classes=["nnr-steps"])
        return [head, paragraph(self._basis()), code(signature_text(function), "python"), table_of_steps]

    def _basis(self) -> Nodes:
        """What the function rests on: evidence tags and a confidence, or requirements that have theirs."""
        found: Nodes = [nodes.Text("Rests on ")]
        if "basis" in self.options:
            *tags, confidence = self.options["basis"].split()
            found += basis(tags, confidence)
        for identifier in self.options.get("requirements", "").split():
            row = load_requirements()[identifier]
            found += [nodes.Text(" "), link("req", identifier), nodes.Text(" "), mark(row.confidence, row.confidence)]
        if len(found) == 1:
            raise ValueError("a function says what it rests on: basis or requirements")
        return found

    def _cells(self, number: int, step: Step, function: Any, file: str) -> list[Cell]:
        words = nodes.container()
        words += paragraph([nodes.strong(f"{number}. ", f"{number}. ")], self._words(step))
        words += paragraph(self._shown(step, function, file), classes=["nnr-details"])
        box = nodes.container()
        block = code(step.source, "python")
        block["linenos"] = True
        block["highlight_args"] = {"linenostart": step.first_line}
        box += block
        return [words, box]

    def _words(self, step: Step) -> Nodes:
        return self.parse_inline(step.words)[0] if "](" in step.words else prose(step.words)

    def _shown(self, step: Step, function: Any, file: str) -> Nodes:
        wanted = frozenset(one for one in code_lines(function.__code__) if one[1] in step.lines)
        if not wanted:
            return []
        name, missing = traced(self.config.nnr_functions).best(wanted)
        found: Nodes = []
        if missing < wanted:
            found += [nodes.Text("Shown by "), stream_link(name), nodes.Text(". ")]
        if missing:
            reason = _why_not(function, file)
            lines = ", ".join(str(line) for _, line in sorted(missing))
            found += [mark(f"line {lines} not run by small streams", "unreachable"), nodes.Text(f" {reason}")]
        return found


def _why_not(function: Any, file: str) -> str:
    """Why no stream runs some line of a function, where the exclusions say so."""
    place = f"{file.rpartition('nnr_conformance/')[2]} {function.__qualname__}:"
    return "; ".join(dict.fromkeys(one.reason for one in exclusions() if one.name.startswith(place)))
