"""Fixtures of the encoder tests."""

from __future__ import annotations

import pytest

from nnr_conformance.entropy import compiled_available


@pytest.fixture(params=[False, True], ids=["interpreted", "compiled"])
def compiled(request: pytest.FixtureRequest) -> bool:
    """Both lives of the encoder's loops."""
    if request.param and not compiled_available():
        pytest.skip("numba is not installed")
    return bool(request.param)
