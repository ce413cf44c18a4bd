"""Open bitstream specification and conformance suite for ISO/IEC 15938-17 (NNR / NNC).

``decode(data)`` gives tensors, ``check(data)`` a report; see `nnr_conformance.api`.
"""

from nnr_conformance.api import Decoded, decode
from nnr_conformance.checker.check import check
from nnr_conformance.report.model import Report, Verdict
from nnr_conformance.version import VERSION

__all__ = ["Decoded", "Report", "Verdict", "check", "decode"]
__version__ = VERSION
