"""A camera's controls become ROS parameters with the driver's ranges."""

from collections.abc import Iterator
from typing import Any

from camera_mp.controls import Control
from camera_mp.errors import SettingError
import pytest

rclpy = pytest.importorskip('rclpy', reason='the nodes need rclpy')

from camera_mp.nodes.camera_controls import CameraControls  # noqa: E402, I100
from rclpy.parameter import Parameter  # noqa: E402, I100

OWN = {'rotate', 'framerate'}
CONTROLS = (
    Control('brightness', 'Brightness', 'integer', -64, 64, 2, 0, 10),
    Control('auto_focus', 'Auto Focus', 'boolean', 0, 1, 1, 1, 1),
    Control('rotate', 'Rotate', 'integer', 0, 270, 90, 0, 90),
    Control('exposure_auto', 'Exposure, Auto', 'menu', 0, 3, 1, 3, 3,
            {1: 'Manual', 3: 'Aperture'}),
    Control('odd', 'A driver that contradicts itself', 'integer', 0, 10, 4, 0, 7),
    Control('beyond', 'One further', 'integer', 0, 10, 1, 0, 70),
    Control('fixed', 'Fixed', 'integer', 0, 10, 1, 0, 7, read_only=True))


@pytest.fixture
def node(ros_domain: int) -> Iterator[Any]:
    context = rclpy.context.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    node = rclpy.create_node('camera', context=context)
    CameraControls(OWN, {}).declare(node, CONTROLS)
    yield node
    node.destroy_node()
    context.shutdown()


def test_each_has_the_drivers_name_type_and_value(node: Any) -> None:
    names = ['brightness', 'auto_focus', 'control_rotate', 'exposure_auto', 'odd', 'beyond']
    assert [node.get_parameter(name).value for name in names] == [10, True, 90, 3, 7, 70]
    assert not node.has_parameter('fixed')
    assert not node.has_parameter('rotate')


def test_ranges_and_menus_are_described(node: Any) -> None:
    brightness = node.describe_parameter('brightness')
    allowed = brightness.integer_range[0]
    assert (allowed.from_value, allowed.to_value, allowed.step) == (-64, 64, 2)
    assert brightness.description == 'Brightness.'
    assert node.describe_parameter('exposure_auto').additional_constraints == (
        '1: Manual, 3: Aperture')
    results = node.set_parameters([Parameter('brightness', value=66),
                                   Parameter('brightness', value=11),
                                   Parameter('brightness', value=12)])
    assert [result.successful for result in results] == [False, False, True]


def test_a_second_declaration_adds_what_is_new(node: Any) -> None:
    controls = CameraControls(OWN, {})
    assert 'gain' not in controls
    gain = Control('gain', 'Gain', 'integer', 0, 9, 1, 0, 5)
    for _ in range(2):
        controls.declare(node, [gain])
    assert 'gain' in controls
    assert node.get_parameter('gain').value == 5


def test_overrides_that_are_no_parameters_are_controls() -> None:
    wanted = CameraControls(OWN, {'brightness': 3, 'auto_focus': False, 'control_rotate': 180,
                                  'control_z': 1}).wanted
    assert wanted == {'brightness': 3, 'auto_focus': 0, 'rotate': 180, 'control_z': 1}


@pytest.mark.parametrize(('given', 'text'), [
    ({'framerat': 3}, 'framerat: no such parameter; did you mean framerate'),
    ({'brightness': 'high'}, "brightness: 'high' is of type string"),
    ({'brightness': 1.5}, 'brightness: 1.5 is of type double'),
])
def test_what_cannot_be_a_control_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingError, match=text):
        CameraControls(OWN, given)
