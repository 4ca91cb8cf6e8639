"""Settings say in one line what is wrong and what would be right."""

from dataclasses import dataclass

from camera_mp.errors import SettingError
from camera_mp.settings import Settings
from camera_mp.sources import CaptureSettings, source_class, SOURCES
import pytest


@pytest.mark.parametrize(('values', 'text'), [
    ({'framerate': 30}, 'framerate: 30 is of type integer; write 30.0'),
    ({'image_width': 640.0}, 'image_width: 640.0 is of type double; write 640'),
    ({'image_width': '640'}, "image_width: '640' is of type string; write one of type integer"),
    ({'video_device': 0}, "video_device: 0 is of type integer; write '0' in quotes"),
    ({'share_with_group': 1}, 'share_with_group: 1 is of type integer; write true or false'),
    ({'flip': [1, 2]}, 'flip: (1, 2) is of type array; write one of type string'),
    ({'image_width': -1}, 'image_width: -1 is not allowed; allowed: 0 to 16384'),
    ({'image_height': 16385}, 'image_height: 16385 is not allowed; allowed: 0 to 16384'),
    ({'framerate': float('nan')}, 'framerate: nan is not allowed; allowed: 0.0 to 1000.0'),
    ({'rotate': 45}, 'rotate: 45 is not allowed; allowed: 0, 90, 180, 270'),
    ({'encoding': 'rgb'}, "encoding: 'rgb' is not allowed; allowed: 'bgr8', 'rgb8', 'mono8'"),
    ({'framerat': 1.0}, 'framerat: no such parameter; did you mean framerate?'),
])
def test_a_wrong_value_is_one_clear_line(values: dict[str, object], text: str) -> None:
    with pytest.raises(SettingError) as caught:
        CaptureSettings.from_values(values)
    assert str(caught.value) == text


def test_an_unknown_name_far_from_all_lists_what_is_allowed() -> None:
    with pytest.raises(SettingError, match='zzz: no such parameter; allowed: encoding, flip'):
        CaptureSettings.from_values({'zzz': 1})


@pytest.mark.parametrize('name', list(SOURCES))
def test_the_defaults_of_every_source_are_allowed(name: str) -> None:
    settings = source_class(name).Settings.from_values({'source': name})
    assert settings.source == name


def test_an_unknown_source_names_those_there_are() -> None:
    with pytest.raises(SettingError, match=r"'x' is unknown; allowed: .*synthetic, v4l2, video"):
        source_class('x')


@dataclass(frozen=True)
class _Plain(Settings):
    threshold: float = 0.5


def test_a_plain_field_may_be_anything_of_its_type() -> None:
    assert _Plain.from_values({'threshold': -3.5}).threshold == -3.5
    with pytest.raises(SettingError, match=r'threshold: 1 is of type integer; write 1\.0'):
        _Plain.from_values({'threshold': 1})
