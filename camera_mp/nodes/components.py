"""
Components: nodes of any Python package, several in one process.

A package registers its nodes as entry points of the group `rclpy_components`, in its setup.py:
'my_package::MyNode = my_package.my_module:MyNode'. A class must pass the keyword arguments it is
made with on to rclpy.node.Node.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
import gc
from importlib.metadata import entry_points
import re
import traceback
from typing import Any

from camera_mp.errors import CameraError, ComponentError
from camera_mp.nodes.spinner import Spinner
from rclpy.context import Context
from rclpy.impl.logging_severity import LoggingSeverity
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.node import Node
from rclpy.parameter import Parameter

GROUP = 'rclpy_components'

# extra arguments of rclcpp_components, by the argument of rclpy's Node that does the same
_EXTRA = {'forward_global_arguments': 'use_global_arguments', 'enable_rosout': 'enable_rosout',
          'start_parameter_services': 'start_parameter_services',
          'enable_logger_service': 'enable_logger_service'}
# those with nothing to do in Python: launch files have them from C++, and they do no harm
_EXTRA_OF_CPP = ('use_intra_process_comms', 'enable_topic_statistics', 'use_clock_thread',
                 'start_parameter_event_publisher')


@dataclass(frozen=True)
class LoadRequest:
    """What to load, with the names of composition_interfaces/LoadNode; that serves as well."""

    package_name: str
    plugin_name: str
    node_name: str = ''
    node_namespace: str = ''
    log_level: int = 0
    remap_rules: Sequence[str] = ()
    parameters: Sequence[Any] = ()       # rcl_interfaces/Parameter
    extra_arguments: Sequence[Any] = ()  # the same


class Components:
    """
    The nodes of one container, each with an executor thread of its own: none waits for another.

    A node that raises is logged and unloaded, and the others go on.
    """

    def __init__(self, context: Context, log: RcutilsLogger) -> None:
        self._context, self._log = context, log
        self._running: dict[int, tuple[str, Node, Spinner]] = {}
        self._last = 0

    def load(self, request: LoadRequest) -> tuple[int, str]:
        """Make a node and give its unique id and full name; ComponentError says why it cannot."""
        node, problem = self._make(request)
        if node is None:
            gc.collect()  # a node that failed half-made stays in the graph until it is collected
            self._log.error(f'{request.plugin_name}: not loaded: {problem}')
            raise ComponentError(problem)
        self._last += 1
        number, name = self._last, node.get_fully_qualified_name()
        spinner = Spinner(node, partial(self._on_error, number, name))
        self._running[number] = name, node, spinner
        spinner.start()
        self._log.info(f'{name}: loaded, {request.plugin_name}')
        return number, name

    def _make(self, request: LoadRequest) -> tuple[Node | None, str]:
        try:
            level = LoggingSeverity(request.log_level)
            node = component_class(request.package_name, request.plugin_name)(
                **node_options(request), context=self._context)
            if request.log_level:
                node.get_logger().set_level(level)
        except CameraError as error:
            return None, str(error)
        except Exception as error:  # anybody's code: it ends this request alone
            self._log.error(traceback.format_exc())
            return None, f'{type(error).__name__}: {" ".join(str(error).split())}'
        return node, ''

    def unload(self, number: int) -> None:
        """End a node and all it has started; ComponentError if there is none of this id."""
        if not self._end(number):
            raise ComponentError(f'no node has the unique id {number}')

    def names(self) -> dict[int, str]:
        """Give the full names of the nodes by their unique ids."""
        return {number: name for number, (name, _, _) in self._running.copy().items()}

    def close(self) -> None:
        """End all nodes."""
        for number in list(self._running):
            self._end(number)

    def _end(self, number: int) -> bool:
        # whoever gets it out of the dictionary ends it: unload, or the thread that failed
        mine = self._running.pop(number, None)
        if mine is None:
            return False
        name, node, spinner = mine
        spinner.end()
        try:
            node.destroy_node()
        except Exception:  # anybody's code
            self._log.error(f'{name}: while it ended:\n{traceback.format_exc()}')
        self._log.info(f'{name}: unloaded')
        return True

    def _on_error(self, number: int, name: str, error: Exception) -> None:
        text = str(error)
        if not isinstance(error, CameraError):
            text = ''.join(traceback.format_exception(error))
        self._log.error(f'{name}: failed and is unloaded: {text}')
        self._end(number)


def component_class(package: str, plugin: str) -> Callable[..., Node]:
    """Give the class that a package has registered; ComponentError, with those it has, if none."""
    points = {point.name: point for point in entry_points(group=GROUP)
              if point.dist and _normal(point.dist.name) == _normal(package)}
    if plugin not in points:
        raise ComponentError(f'{plugin!r}: package {package!r} has no such component; '
                             f'allowed: {", ".join(sorted(points)) or "none is registered"}')
    found: Callable[..., Node] = points[plugin].load()
    return found


def _normal(name: str) -> str:
    """Give a distribution's name as PEP 503 compares it."""
    return re.sub('[-_.]+', '-', name).lower()


def node_options(request: LoadRequest) -> dict[str, Any]:
    """Give the keyword arguments for rclpy.node.Node that a request asks for."""
    rules = [*request.remap_rules]
    if request.node_name:
        rules.append(f'__node:={request.node_name}')
    if request.node_namespace:
        rules.append(f'__ns:={request.node_namespace}')
    options: dict[str, Any] = {
        # not those of the process: its name would be every node's
        'use_global_arguments': False,
        'cli_args': ['--ros-args', *(word for rule in rules for word in ('-r', rule))],
        'parameter_overrides': [Parameter.from_parameter_msg(one) for one in request.parameters]}
    for extra in map(Parameter.from_parameter_msg, request.extra_arguments):
        if extra.name not in (*_EXTRA, *_EXTRA_OF_CPP):
            raise ComponentError(f'extra argument {extra.name!r} is unknown; '
                                 f'allowed: {", ".join((*_EXTRA, *_EXTRA_OF_CPP))}')
        if not isinstance(extra.value, bool):
            raise ComponentError(f'extra argument {extra.name}: {extra.value!r} is not allowed; '
                                 'allowed: true, false')
        if extra.name in _EXTRA:
            options[_EXTRA[extra.name]] = extra.value
    return options
