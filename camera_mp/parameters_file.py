"""
Reads an ordinary ROS 2 parameters file as a list of nodes to start.

Each key with `ros__parameters` that names one node exactly (`/front/camera:`, or nested
`/front:` `camera:`) is a node; keys with wildcards apply to nodes and start none. What the
parameters mean is the nodes' business: they get the same file.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
import re
from typing import Any

from camera_mp.errors import SettingError
import yaml

# rclpy nodes by the name of their executable: modules under camera_mp.nodes
EXECUTABLES = ('camera', 'command_loop', 'detector', 'recorder', 'viewer')

REFUSED = 2  # exit code of a node that refuses its parameters, as it would the next time

_PARAMETERS = 'ros__parameters'
_PART = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')  # rmw_validate_node_name, rmw_validate_namespace


@dataclass(frozen=True)
class NodeEntry:
    """One node to start: its executable, namespace ('/' or '/a/b') and name."""

    executable: str
    namespace: str
    name: str

    @property
    def full_name(self) -> str:
        """Name as ROS tools show it."""
        return f'{self.namespace.rstrip("/")}/{self.name}'


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice; YAML readers silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Make a dictionary, each key once."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f'the key {key!r} stands here a second time',
                    problem_mark=key_node.start_mark)
            seen.add(key)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
        return mapping


def read_nodes(path: str | Path) -> list[NodeEntry]:
    """Give the nodes of a parameters file; SettingError, with the line, if it is not one."""
    entries = [_entry(path, name) for name in _node_names(path, _load(path), '')
               if '*' not in name]
    for entry in entries:
        if entries.count(entry) > 1:
            raise SettingError(f'{path}: {entry.full_name} stands here more than once')
    if not entries:
        raise SettingError(f'{path}: names no node; expected a key such as /front/camera: '
                           f'with {_PARAMETERS}:')
    return entries


def move_below(path: str | Path, namespace: str) -> str:
    """
    Give the text of a parameters file that says the same of its nodes below a namespace.

    namespace: as '/r1'. Keys that begin with `/**` apply to all nodes as before. The file is one
    that `read_nodes` reads.
    """
    text = Path(path).read_text(encoding='utf-8-sig')
    tree = yaml.compose(text, yaml.SafeLoader)
    assert tree
    for key, _ in reversed(tree.value):  # in the text itself: written anew, values may change
        name = key.value.lstrip('/')
        if not name.startswith('**'):
            text = (f'{text[:key.start_mark.index]}{namespace}/{name}'
                    f'{text[key.end_mark.index:]}')
    return text


def _load(path: str | Path) -> Any:
    try:
        return yaml.load(Path(path).read_bytes(), _Loader)
    except OSError as error:
        raise SettingError(f'{path}: {error.strerror}') from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f'{path}:{mark.line + 1}' if mark else str(path)
        raise SettingError(f'{line}: {error.problem}') from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingError(f'{path}: {" ".join(str(error).split())}') from None


def _node_names(path: str | Path, tree: Any, prefix: str) -> Iterator[str]:
    if not isinstance(tree, dict):
        found = 'empty' if tree is None else repr(tree)
        raise SettingError(f'{path}: {prefix or "the file"} is {found}; expected node names '
                           f'with {_PARAMETERS}: below them')
    for key, below in tree.items():
        if key == _PARAMETERS:
            if not isinstance(below, dict) and below is not None:
                raise SettingError(f'{path}: {prefix}: {_PARAMETERS} is {below!r}; '
                                   'expected names with values')
            yield prefix
        else:
            yield from _node_names(path, below, f'{prefix}/{str(key).strip("/")}')


def _entry(path: str | Path, full_name: str) -> NodeEntry:
    namespace, _, name = full_name.rpartition('/')
    if not name or not all(map(_PART.fullmatch, full_name.split('/')[1:])):
        raise SettingError(f'{path}: {full_name or "the file"} is no node name; allowed: parts '
                           'of letters, digits and _, as /front/camera')
    matching = [executable for executable in EXECUTABLES
                if name == executable or name.startswith(f'{executable}_')]
    if not matching:
        raise SettingError(
            f'{path}: {full_name}: the last part says what to start and {name!r} is unknown; '
            f'allowed: {", ".join(EXECUTABLES)}, or one of them with _ and more behind it')
    return NodeEntry(max(matching, key=len), namespace or '/', name)
