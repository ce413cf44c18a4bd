"""Open bitstream specification and conformance suite for ISO/IEC 15938-17 (NNR / NNC).

``decode(data)`` gives tensors, ``check(data)`` a report; see `nnr_conformance.api`.
"""

from nnr_conformance.api import Decoded, decode

__all__ = ["Decoded", "decode"]
__version__ = "0.1.0.dev0"
