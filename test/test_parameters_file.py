"""One parameters file is a list of nodes, or an error with its line."""

from pathlib import Path

from camera_mp.errors import SettingError
from camera_mp.parameters_file import move_below, NodeEntry, read_nodes
from programs import ROOT
import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'cameras.yaml'


def test_keys_are_nodes_and_wildcards_are_not(path: Path) -> None:
    path.write_text("""
/**: {ros__parameters: {framerate: 30.0}}
/front/camera: {ros__parameters: {source: synthetic}}
/*/camera: {ros__parameters: {slots: 4}}
/robot/left:
  camera_wide: {ros__parameters: {}}
camera: {ros__parameters: }
""")
    assert read_nodes(path) == [
        NodeEntry('camera', '/front', 'camera'), NodeEntry('camera', '/robot/left', 'camera_wide'),
        NodeEntry('camera', '/', 'camera')]
    assert read_nodes(path)[1].full_name == '/robot/left/camera_wide'


def test_a_file_says_the_same_below_a_namespace(path: Path) -> None:
    path.write_text("""
# comment
/**: {ros__parameters: {framerate: 30.0}}
'/**/camera': {ros__parameters: {rotate: 90}}
/*/camera: {ros__parameters: {slots: 4}}
'/front/camera': {ros__parameters: {cpu_affinity: '1', a: 1:30, b: yes, "c": 1e5}}
robot: {left: {camera: {ros__parameters: {e: "é"}}}}
camera: {ros__parameters: }
""")
    assert move_below(path, '/r1') == """
# comment
/**: {ros__parameters: {framerate: 30.0}}
'/**/camera': {ros__parameters: {rotate: 90}}
/r1/*/camera: {ros__parameters: {slots: 4}}
/r1/front/camera: {ros__parameters: {cpu_affinity: '1', a: 1:30, b: yes, "c": 1e5}}
/r1/robot: {left: {camera: {ros__parameters: {e: "é"}}}}
/r1/camera: {ros__parameters: }
"""


def test_the_shipped_file_starts_cameras() -> None:
    assert {entry.executable for entry in read_nodes(ROOT / 'config' / 'cameras.yaml')} >= {
        'camera'}


@pytest.mark.parametrize(('text', 'message'), [
    ('/a/camera:\n  ros__parameters:\n    x: [1,\n  b: }\n', r'cameras\.yaml:4: '),
    ('/a/camera: {ros__parameters: {x: 1, x: 2}}', r"yaml:1: the key 'x' stands here a second"),
    ('/a/camera: {ros__parameters: }\n/a/camera: {ros__parameters: }', 'yaml:2: the key'),
    ('/a: {camera: {ros__parameters: }}\n/a/camera: {ros__parameters: }', 'more than once'),
    ('/a/lidar: {ros__parameters: }', "/a/lidar: .* 'lidar' is unknown; allowed: camera"),
    ('/a/cameras: {ros__parameters: }', "'cameras' is unknown"),
    ('/a-b/camera: {ros__parameters: }', '/a-b/camera is no node name'),
    ('/a//camera: {ros__parameters: }', '/a//camera is no node name'),
    ('/a/camera: {parameters: {x: 1}}', 'expected node names'),
    ('/a/camera: {ros__parameters: [1]}', r'/a/camera: ros__parameters is \[1\]'),
    ('ros__parameters: {x: 1}', 'the file is no node name'),
    ('/**: {ros__parameters: {x: 1}}', 'names no node'),
    ('', 'the file is empty'),
    ('just text', "the file is 'just text'"),
    ('a: \x00', 'cameras.yaml: .*unacceptable character'),
])
def test_what_is_wrong_is_one_line(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(SettingError, match=message) as caught:
        read_nodes(path)
    assert '\n' not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    with pytest.raises(SettingError, match=r'cameras\.yaml: No such file'):
        read_nodes(path)
    with pytest.raises(SettingError, match='Is a directory'):
        read_nodes(path.parent)
