"""Models in the files of frameworks: what travels as tensors, and what as topology (annexes A to D)."""
