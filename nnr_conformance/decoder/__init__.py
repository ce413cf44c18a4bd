"""From integer levels to named tensors: dequantization and composition (clauses 7 to 9)."""
