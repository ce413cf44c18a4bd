"""After a live comparison, say how many streams used each coding tool."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    seen: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "nncodec tools":
                seen.update(value)
    if not seen:
        return
    models = seen.pop("models")
    terminalreporter.section("compared with NNCodec")
    terminalreporter.write_line(f"{models} models; streams that use each tool:")
    width = max(map(len, seen))
    for tool in sorted(seen):
        terminalreporter.write_line(f"  {tool:<{width}}  {seen[tool]:5}")
