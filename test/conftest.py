"""What the tests share."""

from collections.abc import Iterator
from importlib.util import find_spec
import os
from pathlib import Path
from uuid import uuid4

from camera_mp.ring import file
from fake_sysfs import FakeHost
import pytest


@pytest.fixture
def ring_name(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give a ring name of the test's own, in a domain of its own; leave nothing of it behind."""
    monkeypatch.setenv('ROS_DOMAIN_ID', str(os.getpid() % 232 + 1))
    name = f'test_{uuid4().hex[:8]}'
    yield name
    for path in file.DIRECTORY.glob(f'*camera_mp.*.{name}*'):
        path.unlink()


@pytest.fixture
def ros_domain(ring_name: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Give a ROS domain that only this test's processes are in, on this host alone."""
    # Fast DDS takes port 7400 + 250 * domain: above 101 that is in the range of any socket
    domain = int(ring_name.removeprefix('test_'), 16) % 101 + 1
    monkeypatch.setenv('ROS_DOMAIN_ID', str(domain))
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    return domain


@pytest.fixture
def usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    """Give a host without cameras, to plug fake ones into."""
    return FakeHost(tmp_path, monkeypatch)


def pytest_configure(config: pytest.Config) -> None:
    """Overlook the event loop that launch leaves open; elsewhere whatever is left is an error."""
    if find_spec('launch_testing'):
        config.addinivalue_line('filterwarnings', 'ignore:unclosed:ResourceWarning')
