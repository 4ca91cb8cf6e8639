"""What the documents say is there is there, and what is there is in them."""

from dataclasses import fields
from importlib import import_module
from pathlib import Path
import re

from camera_mp.detectors import detector_class, DETECTORS
from camera_mp.parameters_file import EXECUTABLES
from camera_mp.settings import Settings
from programs import ROOT
import pytest

PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'doc').glob('*.md'))]
TEXT = '\n'.join(page.read_text() for page in PAGES)


def _groups() -> list[type[Settings]]:
    nodes = [import_module(f'camera_mp.nodes.{name}') for name in EXECUTABLES]
    return [group for node in nodes for group in node.SETTINGS] + [
        detector_class(name).Settings for name in DETECTORS]


def test_every_parameter_is_described() -> None:
    pytest.importorskip('rclpy', reason='the nodes need rclpy')
    names = {item.name for group in _groups() for item in fields(group)}
    assert len(names) > 50
    assert [name for name in sorted(names) if f'`{name}`' not in TEXT] == []


def test_every_executable_is_described() -> None:
    names = re.findall(r"'(\w+) = camera_mp[\w.]*:main'", (ROOT / 'setup.py').read_text())
    readme = (ROOT / 'README.md').read_text()
    assert len(names) > 10
    assert [name for name in names if not re.search(rf'^\| `{name}[ `]', readme, re.M)] == []


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r'\]\((?!https?:)([^)#\s]+)', page.read_text()):
        assert (page.parent / link).exists(), link


def test_files_that_are_named_are_there() -> None:
    paths = set(re.findall(r'`((?:camera_mp|benchmark|config|test|launch|doc)/[\w./]+)`', TEXT))
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
