"""Open bitstream specification and conformance suite for ISO/IEC 15938-17 (NNR / NNC).

``decode(data)`` gives tensors, ``check(data)`` a report; see `nnr_conformance.api`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nnr_conformance.version import VERSION

if TYPE_CHECKING:
    from nnr_conformance.api import Decoded, decode
    from nnr_conformance.checker.check import check
    from nnr_conformance.report.model import Report, Verdict

__all__ = ["Decoded", "Report", "Verdict", "check", "decode"]
__version__ = VERSION

# Imported when it is asked for: pytest imports the plugin, and with it this module, in every run of anyone's tests.
_HOMES = {
    "Decoded": "nnr_conformance.api",
    "decode": "nnr_conformance.api",
    "check": "nnr_conformance.checker.check",
    "Report": "nnr_conformance.report.model",
    "Verdict": "nnr_conformance.report.model",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
