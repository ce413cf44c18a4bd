"""Mutants: faults with names that last, and the changed source or table of each."""

from __future__ import annotations

import difflib
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnr_conformance.data import data_path
from nnr_conformance.errors import UsageError
from nnr_conformance.suite.mutation.exclusions import MODULES
from nnr_conformance.suite.mutation.places import Edit, edits
from nnr_conformance.suite.mutation.tables import TABLES, TableFault, table_faults

PACKAGE = "nnr_conformance"
SINGLE = ("bits", "descriptors", "binary32", "expressions", "framing", "readings", "scope")
FOLDERS = ("syntax", "entropy", "decoder")
"""The normative decoder: these modules, and all in these folders."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault in the decoder: in the source of a module, or in a table.

    `id` is made of the module, the function, the operator, a digest of the line, and a number where one line has
    several of that kind; edits elsewhere do not change it. `lines`: those of which a stream must run one to reach the
    fault; empty for a fault that acts on import, which every stream reaches.
    """

    id: str
    module: str
    operator: str
    line: int
    lines: tuple[int, ...]
    edit: Edit | None = None
    table: TableFault | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of the decoder by module name below the package, in a fixed order."""

    texts: Mapping[str, str]
    _mutants: list[Mutant] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def installed(cls) -> Sources:
        """Those of this package."""
        found = {}
        root = Path(__file__).resolve().parents[2]
        for name in SINGLE:
            found[name] = (root / f"{name}.py").read_text(encoding="utf-8")
        for folder in FOLDERS:
            for path in sorted((root / folder).glob("*.py")):
                found[f"{folder}.{path.stem}"] = path.read_text(encoding="utf-8")
        return cls(found)

    @property
    def digest(self) -> str:
        """Over all sources and tables, and over what is left out."""
        digest = hashlib.sha256()
        for name, text in self.texts.items():
            digest.update(f"{name}\0{text}\0".encode())
        digest.update(data_path(TABLES).read_bytes())
        return digest.hexdigest()

    def mutants(self, modules: Sequence[str] = ()) -> list[Mutant]:
        """All mutants in the order of the sources, those of the tables last; only of `modules` when there are any.

        Raises UsageError for a module that has no mutants.
        """
        if not self._mutants:
            for name, text in self.texts.items():
                if name not in MODULES:
                    self._mutants.extend(source_mutants(name, text))
            self._mutants.extend(_table_mutants())
        known = dict.fromkeys(mutant.module for mutant in self._mutants)
        for module in modules:
            if module not in known:
                raise UsageError(f"no mutants in {module!r}; modules: {', '.join(known)}")
        return [mutant for mutant in self._mutants if not modules or mutant.module in modules]

    def mutated(self, mutant: Mutant) -> str:
        """The source of the mutant's module with the fault."""
        assert mutant.edit is not None
        return replaced(self.texts[mutant.module], mutant.edit)

    def difference(self, mutant: Mutant) -> str:
        """The fault as a unified diff."""
        if mutant.table is not None:
            return f"{TABLES}: {mutant.table}\n"
        before = self.texts[mutant.module].splitlines(keepends=True)
        after = self.mutated(mutant).splitlines(keepends=True)
        name = f"{PACKAGE}/{mutant.module.replace('.', '/')}.py"
        return "".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", n=1))

    def changed(self, mutant: Mutant) -> tuple[list[str], list[str]]:
        """The lines that the fault takes away, and those that it puts there, without indentation."""
        if mutant.table is not None:
            return [f"{mutant.table.table}{mutant.table.place}: {mutant.table.before}"], [f"{mutant.table.after}"]
        lines = self.difference(mutant).splitlines()[3:]
        return (
            [line[1:].strip() for line in lines if line.startswith("-")],
            [line[1:].strip() for line in lines if line.startswith("+")],
        )


def source_mutants(module: str, text: str) -> Iterator[Mutant]:
    """The mutants of one module's source."""
    lines = text.splitlines()
    seen: Counter[str] = Counter()
    for edit in edits(module, text):
        line = edit.span[0]
        stem = f"{module}:{edit.function}:{edit.operator}:{_hashed(lines[line - 1].strip())}"
        yield Mutant(f"{stem}:{seen[stem]}", module, edit.operator, line, edit.lines, edit=edit)
        seen[stem] += 1


def replaced(text: str, edit: Edit) -> str:
    """The source with an edit."""
    first_line, first, last_line, end = edit.span
    lines = text.encode().splitlines(keepends=True)
    head, tail = lines[first_line - 1][:first], lines[last_line - 1][end:]
    return b"".join([*lines[: first_line - 1], head + edit.text.encode() + tail, *lines[last_line:]]).decode()


def _table_mutants() -> Iterator[Mutant]:
    for fault in table_faults():
        identifier = f"tables:{fault.table}:{fault.operator}:{'-'.join(map(str, fault.place))}"
        yield Mutant(identifier, "tables", fault.operator, 0, (), table=fault)


def _hashed(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()[:6]
