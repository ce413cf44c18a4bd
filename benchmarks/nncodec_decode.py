"""NNCodec as a program: ``python nncodec_decode.py STREAM OUT.npz`` imports it, decodes, and writes the tensors.

Nothing but what this takes is imported: where PyTorch is missing, what NNCodec imports for it is left out.
"""

from __future__ import annotations

import importlib.util
import sys
import types

import numpy as np

if importlib.util.find_spec("torch") is None:
    frameworks = types.ModuleType("nncodec.framework")
    for module in ("tensorflow_model", "pytorch_model", "use_case_init"):
        setattr(frameworks, module, None)
    sys.modules["nncodec.framework"] = frameworks

from nncodec.nnc import compression

if __name__ == "__main__":
    np.savez(sys.argv[2], **compression.decompress(sys.argv[1]))
