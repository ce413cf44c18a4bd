"""Adequacy of the stored streams: faults are injected into the decoder, and some stream must notice each of them."""
