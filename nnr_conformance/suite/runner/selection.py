"""Which cases are run: by what an implementation claims, and by what was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from nnr_conformance.errors import UsageError
from nnr_conformance.suite.runner.cases import tools_by_source
from nnr_conformance.suite.runner.implementation import Implementation
from nnr_conformance.suite.runner.model import Case

_REQUIREMENT = re.compile(r"R-[A-Z0-9]+-[0-9]+[a-z]?")
_CLAUSE = re.compile(r"\d+")
_MARKED = ("tool", "reading", "class", "code", "edition", "verdict")
_EDITION = "edition "


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for: cases that match one of `selectors` (all when there are none) and one of `only` (likewise),
    without those that match one of `exclude`.

    A selector is

    - a pattern of the id, such as ``core/*`` or ``*/10-codebook-*``; a beginning that ends at a slash or hyphen will
      do: ``core``, ``tools/10-pair``;
    - a clause and a pattern of the idea, such as ``10/entry-points`` or ``10/*scan*``, or the clause alone, ``10``;
    - the id of a requirement, ``R-EP-01``;
    - ``tool:codebook``, ``reading:history``, ``class:core``, ``code:terminate_missing``, ``edition:1``,
      ``verdict:nonconforming``, each with a pattern.
    """

    selectors: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.selectors or self.only or self.exclude)

    def words(self) -> tuple[str, ...]:
        """What was asked for, as on a command line."""
        named = [f"--only {one}" for one in self.only] + [f"--exclude {one}" for one in self.exclude]
        return (*self.selectors, *named)

    def of(self, cases: Sequence[Case]) -> tuple[Case, ...]:
        """The selected cases in their order. Raises UsageError for a selector that matches none, and for none left."""
        for selector in (*self.selectors, *self.only, *self.exclude):
            if not any(matches(selector, case) for case in cases):
                raise UsageError(f"no case matches {selector!r}; nnr-suite run --list shows all cases")
        found = tuple(case for case in cases if self.takes(case))
        if not found:
            raise UsageError("no case is left by the selection; nnr-suite run --list shows all cases")
        return found

    def takes(self, case: Case) -> bool:
        """Whether a case is selected."""
        return (
            (not self.selectors or _any(self.selectors, case))
            and (not self.only or _any(self.only, case))
            and not _any(self.exclude, case)
        )


def matches(selector: str, case: Case) -> bool:
    """Whether one selector matches a case; see `Selection`."""
    if _REQUIREMENT.fullmatch(selector):
        return selector in case.requirements
    marked, colon, pattern = selector.partition(":")
    if colon and marked in _MARKED:
        return any(fnmatchcase(found, pattern) for found in _marked(marked, case))
    clause, _, idea = selector.partition("/")
    if _CLAUSE.fullmatch(clause):
        own, _, rest = case.id.rpartition("/")[2].partition("-")
        return clause == own and (not idea or _begins(rest, idea))
    return _begins(case.id, selector)


def not_claimed(implementation: Implementation, case: Case) -> str:
    """What of a case an implementation does not claim to do; empty when it claims all.

    The tools of the streams that the case updates are needed as well. A nonconforming stream keeps the requirements of
    no edition; it is of the edition that it signals.
    """
    if implementation.editions is not None:
        signalled = tuple(int(tool.removeprefix(_EDITION)) for tool in case.tools if tool.startswith(_EDITION))
        editions = case.editions or signalled
        if editions and not set(editions) & set(implementation.editions):
            return f"edition {editions[0]} is not claimed"
    if implementation.tools is not None:
        known = tools_by_source() if case.before else {}
        needed = {*case.tools, *(tool for source in case.before for tool in known.get(source, ()))}
        lacking = sorted(tool for tool in needed - implementation.tools if not tool.startswith(_EDITION))
        if lacking:
            return f"not claimed: {', '.join(lacking)}"
    return ""


def _marked(kind: str, case: Case) -> Iterable[str]:
    match kind:
        case "tool":
            return case.tools
        case "reading":
            return (*case.readings, *((case.reading,) if case.reading else ()))
        case "class":
            return (case.kind,)
        case "code":
            return case.codes
        case "edition":
            return map(str, case.editions)
    return (case.verdict,)


def _begins(text: str, pattern: str) -> bool:
    """Whether a pattern matches a text, or a beginning of it that ends where a word does."""
    pattern = pattern.rstrip("/")
    return any(fnmatchcase(text, end) for end in (pattern, f"{pattern}-*", f"{pattern}/*"))


def _any(selectors: Iterable[str], case: Case) -> bool:
    return any(matches(selector, case) for selector in selectors)
