"""What a run came to: the report as a value, its formats, and the failures that are expected of an implementation."""
