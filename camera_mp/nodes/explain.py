"""What a node's program says to --help: what it does, and its parameters."""

from collections.abc import Iterator
from dataclasses import fields
from types import ModuleType

from camera_mp.settings import about, describe_allowed, Settings


def explain(module: ModuleType, arguments: str) -> str:
    """Give the text for the module of a node; arguments: what it takes besides ROS's own."""
    groups: tuple[type[Settings], ...] = getattr(module, 'SETTINGS', ())
    lines = [module.__doc__ or '', f'Usage: {arguments} --ros-args -p NAME:=VALUE ... '
             '[-r __ns:=/NAMESPACE] [--params-file FILE]'.replace('  ', ' ')]
    if groups:
        lines += ['', 'Parameters:', *dict.fromkeys(
            line for group in groups for line in _lines(group))]
    return '\n'.join(lines)


def _lines(group: type[Settings]) -> Iterator[str]:
    for item in fields(group):
        allowed = describe_allowed(item)
        yield (f'  {item.name} ({item.default!r}): {about(item)["description"]}'
               + f' [{allowed}]' * bool(allowed))
