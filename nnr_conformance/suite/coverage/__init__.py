"""What a set of streams exercises: syntax, requirements, entropy decoding, tools, and the decoder's own code."""
