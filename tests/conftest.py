"""What holds for every test."""

from __future__ import annotations

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code; benchmarks/ measures speed.
settings.register_profile("raga", deadline=None)
settings.load_profile("raga")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest go first, so that none of them is what all others wait for at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(("tests/migration/", "tests/e2e/")))
