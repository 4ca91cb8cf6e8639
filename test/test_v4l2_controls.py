"""Controls have the names of v4l2-ctl, and setting one tells the truth."""

import errno
import re

from camera_mp.controls import Control
from camera_mp.errors import ControlRefused
from camera_mp.v4l2 import abi
from camera_mp.v4l2.controls import Controls, snake_case
from camera_mp.v4l2.device import Device
from fake_camera import FakeCamera, FakeControl, FakeKernel
from hypothesis import given
from hypothesis import strategies as st
import pytest


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    camera = FakeCamera()
    camera.controls = {
        0x00980001: FakeControl('User Controls', kind=6),  # V4L2_CTRL_TYPE_CTRL_CLASS
        abi.V4L2_CID_BRIGHTNESS: FakeControl('Brightness', 5, -64, 64, 2),
        abi.V4L2_CID_AUTO_WHITE_BALANCE: FakeControl(
            'White Balance, Automatic', 1, 0, 1, kind=abi.V4L2_CTRL_TYPE_BOOLEAN),
        abi.V4L2_CID_GAIN: FakeControl('Gain', flags=abi.V4L2_CTRL_FLAG_INACTIVE),
        0x0098091C: FakeControl('Backlight Compensation', flags=abi.V4L2_CTRL_FLAG_GRABBED),
        0x0098091D: FakeControl('Gone', flags=abi.V4L2_CTRL_FLAG_DISABLED),
        0x0098091E: FakeControl('Firmware', 3, flags=abi.V4L2_CTRL_FLAG_READ_ONLY),
        abi.V4L2_CID_EXPOSURE_AUTO: FakeControl(
            'Auto Exposure', 3, 0, 3, kind=abi.V4L2_CTRL_TYPE_MENU,
            menu={1: 'Manual Mode', 3: 'Aperture Priority Mode'}),
        abi.V4L2_CID_EXPOSURE_ABSOLUTE: FakeControl(
            'Exposure Time, Absolute', 157, 1, 5000, flags=abi.V4L2_CTRL_FLAG_INACTIVE),
        0x009A0920: FakeControl('Link Frequency', kind=abi.V4L2_CTRL_TYPE_INTEGER_MENU,
                                maximum=1, menu={0: 450000000, 1: 900000000}),
        0x009A0921: FakeControl('Link frequency'),
    }
    FakeKernel(monkeypatch).cameras['/dev/video0'] = camera
    return camera


@pytest.fixture
def controls(camera: FakeCamera) -> Controls:
    return Controls(Device('/dev/video0'))


def test_all_that_can_be_set_is_listed(controls: Controls) -> None:
    found = {control.name: control for control in controls.list()}
    assert list(found) == [
        'brightness', 'white_balance_automatic', 'gain', 'backlight_compensation', 'firmware',
        'auto_exposure', 'exposure_time_absolute', 'link_frequency', 'link_frequency_009a0921']
    assert found['brightness'] == Control('brightness', 'Brightness', 'integer', -64, 64, 2, 0, 5)
    assert found['white_balance_automatic'].kind == 'boolean'
    assert found['auto_exposure'].menu == {1: 'Manual Mode', 3: 'Aperture Priority Mode'}
    assert found['link_frequency'].menu == {0: '450000000', 1: '900000000'}
    assert found['exposure_time_absolute'].inactive
    assert found['firmware'].read_only


def test_setting_gives_what_the_driver_made_of_it(controls: Controls, camera: FakeCamera) -> None:
    assert controls.set('brightness', 11) == 10
    assert camera.controls[abi.V4L2_CID_BRIGHTNESS].value == 10
    assert controls.set('auto_exposure', 1) == 1
    assert next(each.value for each in controls.list() if each.name == 'brightness') == 10


@pytest.mark.parametrize(('name', 'value', 'text'), [
    ('zoom', 1, 'zoom: the camera has no such control; allowed: brightness, white_balance_'),
    ('brightness', 65, 'brightness: 65 is not allowed; allowed: -64 to 64'),
    ('auto_exposure', 2, 'auto_exposure: 2 is not allowed; allowed: 1 (Manual Mode), 3 (Aper'),
    ('exposure_time_absolute', 9, 'exposure_time_absolute: inactive now, because auto_exposure '
     'is automatic: change that first'),
    ('gain', 9, 'gain: inactive now'),
    ('firmware', 9, 'firmware: read-only'),
    ('backlight_compensation', 9, 'cannot be changed while the camera streams'),
])
def test_what_cannot_be_set_says_why(controls: Controls, camera: FakeCamera, name: str,
                                     value: int, text: str) -> None:
    with pytest.raises(ControlRefused, match=re.escape(text)):
        controls.set(name, value)
    assert abi.VIDIOC_S_CTRL not in camera.asked


def test_a_refusal_of_the_driver_is_passed_on(controls: Controls, camera: FakeCamera) -> None:
    camera.errors[abi.VIDIOC_S_CTRL] = errno.EIO
    with pytest.raises(ControlRefused, match='brightness: 4 was refused by the driver: Input/ou'):
        controls.set('brightness', 4)
    camera.unplug()
    with pytest.raises(ControlRefused, match='brightness: the camera does not answer'):
        controls.set('brightness', 4)


def test_one_that_cannot_be_read_now_is_left_out(controls: Controls, camera: FakeCamera) -> None:
    camera.errors[abi.VIDIOC_G_CTRL] = errno.EIO
    assert controls.list() == ()


def test_a_camera_without_controls(camera: FakeCamera) -> None:
    camera.controls.clear()
    controls = Controls(Device('/dev/video0'))
    assert controls.list() == ()
    with pytest.raises(ControlRefused, match='allowed: none'):
        controls.set('brightness', 1)


@pytest.mark.parametrize(('title', 'name'), [
    ('Exposure Time, Absolute', 'exposure_time_absolute'),
    ('White Balance, Automatic', 'white_balance_automatic'),
    ('Exposure (Absolute)', 'exposure_absolute'),
    ('  LED1 Mode!', 'led1_mode'),
])
def test_names(title: str, name: str) -> None:
    assert snake_case(title) == name


@given(st.text())
def test_names_are_ros_parameter_names(title: str) -> None:
    assert re.fullmatch('([a-z0-9]+(_[a-z0-9]+)*)?', snake_case(title))
