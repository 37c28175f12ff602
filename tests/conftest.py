"""What tests of several rooms share."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def chromium_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where a browser listens that all tests of a module share: for `chromium.tab`."""
    from chromium import chromium

    with chromium(tmp_path_factory.mktemp("profile")) as found:
        yield found
