"""The controls of a camera as ROS parameters, under the driver's names and with its ranges."""

from collections.abc import Iterable, Mapping
import difflib
from typing import Any

from camera_mp.controls import Control
from camera_mp.settings import check_name, check_type
from rcl_interfaces.msg import IntegerRange, ParameterDescriptor
from rclpy.node import Node

_PREFIX = 'control_'  # of a control whose name one of our own parameters has
_ALIKE = 0.8  # difflib's ratio above which a name is taken for a parameter's misspelt


class CameraControls:
    """
    Declares a parameter for each control once the camera has said which it has.

    own: names of the node's own parameters. given: values of overrides that are none of them,
    controls therefore; SettingError for one that looks like a misspelt parameter.
    """

    def __init__(self, own: Iterable[str], given: Mapping[str, Any]) -> None:
        self._own = set(own)
        self.wanted: dict[str, int] = {}
        self._names: dict[str, str] = {}  # of the control, by that of its parameter
        for name, value in given.items():
            if difflib.get_close_matches(name, self._own, 1, _ALIKE):
                check_name(name, self._own)
            if not isinstance(value, bool):
                check_type(name, value, int)
            self.wanted[self._control_of(name)] = int(value)

    def __contains__(self, parameter: str) -> bool:
        """Tell whether a parameter is a control."""
        return parameter in self._names

    def control_of(self, parameter: str) -> str:
        """Give the driver's name of a parameter that is a control."""
        return self._names[parameter]

    def _control_of(self, parameter: str) -> str:
        bare = parameter.removeprefix(_PREFIX)
        return bare if bare in self._own else parameter

    def declare(self, node: Node, controls: Iterable[Control]) -> None:
        """Declare those that are not yet, with the value that each has now."""
        for control in controls:
            name = control.name if control.name not in self._own else _PREFIX + control.name
            if control.read_only or name in self._names:
                continue
            value = bool(control.value) if control.kind == 'boolean' else control.value
            node.declare_parameter(name, value, _descriptor(control), ignore_override=True)
            self._names[name] = control.name  # not before: a declaration is no order to the driver


def _descriptor(control: Control) -> Any:
    descriptor = ParameterDescriptor(description=f'{control.title}.')
    if control.kind == 'menu':
        descriptor.additional_constraints = ', '.join(
            f'{value}: {text}' for value, text in control.menu.items())
    # a driver may report a value that it would not take; rclpy refuses to declare one
    whole = control.step < 1 or (control.value - control.minimum) % control.step
    if control.kind != 'boolean' and control.minimum <= control.value <= control.maximum:
        descriptor.integer_range = [IntegerRange(
            from_value=control.minimum, to_value=control.maximum,
            step=1 if whole else control.step)]
    return descriptor
