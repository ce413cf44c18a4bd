"""Named tensors in files: `.npz` (NumPy) and `.safetensors`, written one tensor at a time and read on demand."""

from nnr_conformance.tensor_files.reading import TensorFile, read_tensors
from nnr_conformance.tensor_files.writing import Restore, TensorWriter, open_writer

__all__ = ["Restore", "TensorFile", "TensorWriter", "open_writer", "read_tensors"]
