"""Open bitstream specification and conformance suite for ISO/IEC 15938-17 (NNR / NNC)."""
