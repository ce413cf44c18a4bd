"""Settings of all tests."""

import os

from hypothesis import settings

# Examples may compile, or wait for another process on a busy machine: time says nothing about correctness.
settings.register_profile("nnr", deadline=None)
# The same examples in every run: what is green stays green. NNR_EXAMPLES=random looks for new ones.
settings.register_profile("nnr-fixed", deadline=None, derandomize=True)
settings.load_profile("nnr" if os.environ.get("NNR_EXAMPLES") == "random" else "nnr-fixed")

# Tests of the pytest plugin run pytest in a project of their own.
pytest_plugins = ["pytester"]
