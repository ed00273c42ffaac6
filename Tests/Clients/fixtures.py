"""The fixtures that several suites share. A suite's conftest.py imports those that it uses."""

import pytest
from provider import ScriptedProvider


@pytest.fixture(scope="session")
def provider():
    """A scripted provider; fails unless the gateway sent it what a well-behaved one sends."""
    provider = ScriptedProvider()
    yield provider
    provider.stop()
    assert provider.violations == []
