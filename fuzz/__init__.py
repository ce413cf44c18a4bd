"""Fuzzing of the whole package: a mutation fuzzer that needs nothing installed, and harnesses for atheris."""
