"""What can be set on a webcam: it reaches the camera, and comes back with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from camera_mp.errors import ControlRefused
from camera_mp.ring import State
from camera_mp.sources import source_class
from camera_mp.sources.source import Source
from captures import capturing, state
from plugged import plug, plugged, unplug
from programs import eventually
import pytest
from webcam_daemon import WebcamHandle


@contextmanager
def opened(webcam: WebcamHandle) -> Iterator[Source]:
    kind = source_class('v4l2')
    source = kind(kind.Settings(source='v4l2', video_device=webcam.serial))
    try:
        yield source
    finally:
        source.close()


def test_a_value_reaches_the_camera_and_is_read_back() -> None:
    with plugged(0) as webcam, opened(webcam) as source:
        assert source.set_control('brightness', -7) == -7
        assert webcam.set_controls()[-1] == ('brightness', -7)
        now = {control.name: control for control in source.controls()}['brightness']
        assert (now.minimum, now.maximum, now.default, now.value) == (-64, 64, 0, -7)


@pytest.mark.parametrize(('name', 'value', 'text'), [
    ('brightness', 65, '65 is not allowed; allowed: -64 to 64'),
    ('power_line_frequency', 5, '5 is not allowed; allowed: 0 (Disabled), 1 (50 Hz), 2 (60 Hz)'),
    ('exposure_time_absolute', 300, 'inactive'),
    ('focus', 1, 'no such control'),
])
def test_what_the_camera_does_not_take_is_refused(name: str, value: int, text: str) -> None:
    with plugged(0) as webcam, opened(webcam) as source:
        before = webcam.set_controls()
        with pytest.raises(ControlRefused) as refusal:
            source.set_control(name, value)
        assert text in str(refusal.value)
        assert webcam.set_controls() == before


def test_exposure_can_be_set_once_it_is_manual() -> None:
    with plugged(0) as webcam, opened(webcam) as source:
        source.set_control('auto_exposure', 1)
        assert source.set_control('exposure_time_absolute', 300) == 300
        assert webcam.set_controls()[-1] == ('exposure_time_absolute', 300)


def test_controls_come_back_after_the_cable_was_pulled(ring_name: str) -> None:
    with plugged(0) as webcam, capturing(ring_name, webcam.serial, '--control', 'contrast=40'):
        assert webcam.set_controls()[-1] == ('contrast', 40)
        count = len(webcam.set_controls())
        unplug(webcam)
        eventually(lambda: state(ring_name) == State.RECONNECTING)
        plug(webcam)
        eventually(lambda: state(ring_name) == State.STREAMING)
        assert ('contrast', 40) in webcam.set_controls()[count:]
