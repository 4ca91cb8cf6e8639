"""Settings as ROS parameters: declared with description, range and type, checked by name."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from importlib import import_module
import math
from typing import Any, TypeVar

from camera_mp.errors import SettingError
from camera_mp.parameters_file import EXECUTABLES
from camera_mp.redact import redact
from camera_mp.settings import about, check_name, describe_allowed, Settings
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

_INT64 = 2**63 - 1

S = TypeVar('S', bound=Settings)


def overrides(node: Node) -> dict[str, Any]:
    """Give what files and command line say for this node, whether it is declared or not."""
    # rclpy has no public way to see a value before it is declared, and declaring publishes it
    return {name: parameter.value for name, parameter in node._parameter_overrides.items()}


def check_names(node: Node, *groups: type[Settings]) -> None:
    """
    Raise SettingError for an override that no node knows; rclpy says nothing of it.

    One that another node knows is let be: it may come from a `/**` entry.
    """
    refuse(unknown_names(node, *groups), names_of(groups))


def refuse(unknown: Iterable[str], known: Collection[str]) -> None:
    """Raise SettingError for the first of these names, with the nearest that is known."""
    for name in unknown:
        check_name(name, known)


def unknown_names(node: Node, *groups: type[Settings]) -> list[str]:
    """Give the overrides that no node knows."""
    own = names_of(groups)
    strange = [name for name in overrides(node) if not (
        name in own or name.startswith('qos_overrides.') or node.has_parameter(name))]
    # the other nodes are loaded only if there is something to ask them: it takes a third of a
    # second, and OpenCV into a process that does not need it
    known = _names_of_all_nodes() if strange else set()
    return [name for name in strange if name not in known]


def tell_unused(node: Node, used: Iterable[type[Settings]], known: Iterable[type[Settings]],
                user: str) -> None:
    """Warn of overrides that belong to the node, but not to what it uses; user: that, in words."""
    for name in overrides(node).keys() & names_of(known) - names_of(used):
        node.get_logger().warning(f'{name}: given, but {user} does not use it')


def dotted(namespace: str) -> str:
    """Give the name of a namespace's camera: `/r1/front` is `r1.front`."""
    return namespace.strip('/').replace('/', '.')


def names_of(groups: Iterable[type[Settings]]) -> set[str]:
    """Give the names of all settings of these groups."""
    return {item.name for group in groups for item in fields(group)}


def _names_of_all_nodes() -> set[str]:
    modules = (import_module(f'camera_mp.nodes.{name}') for name in EXECUTABLES)
    return names_of(group for module in modules for group in module.SETTINGS)


def declare(node: Node, group: type[S]) -> S:
    """
    Declare a group of settings as parameters, read-only unless live, and give their values.

    Raises SettingError for a value that is not allowed. The parameters show no passwords,
    the result has them.
    """
    given = overrides(node)
    settings = group.from_values(
        {item.name: given[item.name] for item in fields(group) if item.name in given})
    for item in fields(group):
        value = getattr(settings, item.name)
        shown = redact(value) if isinstance(value, str) else value
        shown = list(shown) if isinstance(shown, tuple) else shown
        node.declare_parameter(item.name, shown, _descriptor(about(item), value, item),
                               ignore_override=True)
    return settings


def _descriptor(said: Mapping[str, Any], value: object, item: Any) -> Any:
    descriptor = ParameterDescriptor(
        description=said['description'], read_only=not said['live'],
        additional_constraints=describe_allowed(item) if said['choices'] else '')
    low, high = said['low'], said['high']
    if low is None and high is None:
        return descriptor
    if isinstance(value, float):
        descriptor.floating_point_range = [FloatingPointRange(
            from_value=-math.inf if low is None else low,
            to_value=math.inf if high is None else high)]
    else:
        descriptor.integer_range = [IntegerRange(
            from_value=-_INT64 if low is None else low, to_value=_INT64 if high is None else high)]
    return descriptor


def located(node: Node, error: SettingError) -> SettingError:
    """Say in which node a wrong setting is."""
    return SettingError(f'{node.get_fully_qualified_name()}: {error}')
