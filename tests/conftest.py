"""Settings of all tests."""

from hypothesis import settings

# Examples may compile, or wait for another process on a busy machine: time says nothing about correctness.
settings.register_profile("nnr", deadline=None)
settings.load_profile("nnr")
