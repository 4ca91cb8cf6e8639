"""The list of the cameras of a host."""

import json
from typing import Any

from plugged import plugged, video_nodes
from programs import run
import pytest

RATES = [30.0, 15.0, 10.0]


@pytest.fixture(scope='module')
def cameras() -> list[dict[str, Any]]:
    with plugged(0) as first, plugged(1) as second:
        program = run('-m', 'camera_mp.list_cameras', '--json')
        nodes = [video_nodes(webcam.serial)[0] for webcam in (first, second)]
    found: list[dict[str, Any]] = json.loads(program.text)
    assert [camera['path'] for camera in found] == nodes
    return found


def test_cameras_of_one_model_have_serial_numbers(cameras: list[dict[str, Any]]) -> None:
    assert [camera['serial'] for camera in cameras] == ['0000', '0001']
    assert [camera['name'].partition(':')[0] for camera in cameras] == ['Emulated Camera'] * 2
    assert {camera['driver'] for camera in cameras} == {'uvcvideo'}
    assert cameras[0]['bus'] != cameras[1]['bus']


def test_each_format_has_its_sizes_and_rates(cameras: list[dict[str, Any]]) -> None:
    offered = {mode['fourcc']: [(size['width'], size['height'], size['framerates'])
                                for size in mode['sizes']] for mode in cameras[0]['modes']}
    assert offered == {'MJPG': [(1280, 720, RATES), (640, 480, RATES)],
                       'YUYV': [(640, 480, RATES), (320, 240, RATES)]}


def test_controls_have_ranges_and_menus(cameras: list[dict[str, Any]]) -> None:
    controls = {control['name']: control for control in cameras[0]['controls']}
    assert {name: (one['minimum'], one['maximum'], one['default'], one['value'])
            for name, one in controls.items() if one['kind'] == 'integer'} == {
        'brightness': (-64, 64, 0, 0), 'contrast': (0, 95, 32, 32), 'gain': (0, 100, 10, 10),
        'exposure_time_absolute': (1, 5000, 157, 157)}
    assert controls['power_line_frequency']['menu'] == {
        '0': 'Disabled', '1': '50 Hz', '2': '60 Hz'}
    assert controls['auto_exposure']['menu'] == {
        '1': 'Manual Mode', '3': 'Aperture Priority Mode'}
    assert controls['exposure_time_absolute']['inactive']
