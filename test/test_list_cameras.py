"""What list_cameras says of the cameras of a host."""

import errno
import json

from camera_mp.list_cameras import main
from camera_mp.v4l2 import abi
from fake_camera import FakeControl
from fake_sysfs import FakeHost
from programs import run
import pytest

EXPECTED = """\
Test Camera
    {dev}/video0
    {dev}/v4l/by-id/usb-A
    serial A, model 046d:0825, driver uvcvideo, bus usb-0000:00:14.0-1
  MJPG  MJPG pixels
    1280x720    30, 15 Hz
    640x480     30, 15 Hz
  YUYV  YUYV pixels
    640x480     30, 15 Hz
    1280x720    10, 5 Hz
  controls
    brightness: integer -64 to 64 step 2, default 0, now 4
    auto_exposure: menu, default 0, now 3
        1: Manual Mode
        3: Auto
    gain: integer 0 to 100 step 1, default 0, now 0 (inactive)

"""


@pytest.fixture
def camera(usb: FakeHost) -> FakeHost:
    camera = usb.plug(0, serial='A', link='usb-A')
    camera.controls = {
        1: FakeControl('Brightness', 4, -64, 64, 2),
        2: FakeControl('Auto Exposure', 3, 0, 3, kind=abi.V4L2_CTRL_TYPE_MENU,
                       menu={1: 'Manual Mode', 3: 'Auto'}),
        3: FakeControl('Gain', flags=abi.V4L2_CTRL_FLAG_INACTIVE)}
    return usb


def test_a_camera_with_all_it_offers(camera: FakeHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out == EXPECTED.format(dev=camera.dev)
    assert not camera.kernel.open


def test_as_json(camera: FakeHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--json']) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found['path'], found['serial'], found['trouble']) == (camera.path(0), 'A', '')
    assert found['modes'][0]['sizes'][0] == {
        'width': 1280, 'height': 720, 'max_width': 1280, 'max_height': 720, 'step_width': 0,
        'step_height': 0, 'framerates': [30.0, 15.0], 'any_between': False}
    assert found['controls'][1]['menu'] == {'1': 'Manual Mode', '3': 'Auto'}


def test_one_that_may_not_be_opened_says_why(camera: FakeHost,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    camera.kernel.refused[camera.path(0)] = errno.EACCES
    assert main([]) == 0
    assert 'no permission to open' in capsys.readouterr().out


def test_no_camera_is_one_line(usb: FakeHost, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith('no camera on this host')
    assert main(['--json']) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_as_a_program() -> None:
    assert run('-m', 'camera_mp.list_cameras').wait() == 0
