"""All directives of the domain by name."""

from __future__ import annotations

from nnr_sphinx.command_directive import CommandDirective, SchemasDirective
from nnr_sphinx.covered_directive import CoveredDirective
from nnr_sphinx.drawing_directives import DrawingDirective, MachineDirective, PipelinesDirective
from nnr_sphinx.function_directive import FunctionDirective
from nnr_sphinx.limitations_directive import LimitationsDirective
from nnr_sphinx.reading_directives import DivergencesDirective, EditionsDirective, ReadingsDirective
from nnr_sphinx.reference_directives import ApiDirective, ModulesDirective
from nnr_sphinx.requirement_directives import DiagnosticsDirective, RequirementsDirective
from nnr_sphinx.semantics_directive import SemanticsDirective
from nnr_sphinx.statement_directive import StatementDirective
from nnr_sphinx.stream_directive import StreamsDirective
from nnr_sphinx.syntax_directive import SyntaxDirective
from nnr_sphinx.table_directive import TableDirective, ToolsDirective

DIRECTIVES = {
    "syntax": SyntaxDirective,
    "semantics": SemanticsDirective,
    "requirements": RequirementsDirective,
    "diagnostics": DiagnosticsDirective,
    "readings": ReadingsDirective,
    "divergences": DivergencesDirective,
    "editions": EditionsDirective,
    "table": TableDirective,
    "tools": ToolsDirective,
    "streams": StreamsDirective,
    "covered": CoveredDirective,
    "limitations": LimitationsDirective,
    "api": ApiDirective,
    "modules": ModulesDirective,
    "command": CommandDirective,
    "schemas": SchemasDirective,
    "pipelines": PipelinesDirective,
    "statement": StatementDirective,
    "function": FunctionDirective,
    "machine": MachineDirective,
    "drawing": DrawingDirective,
}
