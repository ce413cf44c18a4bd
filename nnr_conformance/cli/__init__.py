"""The commands, and the only modules that read and write files."""
