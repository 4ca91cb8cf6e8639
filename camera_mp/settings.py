"""
Declared settings: a frozen dataclass whose fields carry their description and what is allowed.

One declaration serves the ROS parameters, the command line, the check of a parameters file and
the documentation. Types are bool, int, float and str, as ROS parameters have them, and
tuple[float, ...] and tuple[str, ...] for their double and string arrays.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, Field, field, fields
import difflib
import math
from typing import Any, get_args, get_origin, get_type_hints, TypeVar

from camera_mp.errors import SettingError

# as ROS tools name the types of parameters
_ROS_NAMES: dict[type, str] = {bool: 'bool', int: 'integer', float: 'double', str: 'string',
                               tuple[float, ...]: 'double_array',
                               tuple[str, ...]: 'string_array'}

ALL = '*'  # in a list of cameras: every one

_PLAIN = {'description': '', 'low': None, 'high': None, 'choices': (), 'live': False}

S = TypeVar('S', bound='Settings')
V = TypeVar('V', bool, int, float, str, tuple[float, ...], tuple[str, ...])


def setting(default: V, description: str, *, low: float | None = None, high: float | None = None,
            choices: tuple[V, ...] = (), live: bool = False) -> V:
    """
    Declare one field of a Settings class.

    low, high: inclusive. live: it can be changed while its user runs.
    """
    value: V = field(default=default, metadata={
        'description': description, 'low': low, 'high': high, 'choices': choices, 'live': live})
    return value


@dataclass(frozen=True)
class Settings:
    """Base of all groups of settings; making one checks every value."""

    def __post_init__(self) -> None:
        """Raise SettingError for the first value that is not allowed."""
        kinds = get_type_hints(type(self))
        for item in fields(self):
            check_type(item.name, getattr(self, item.name), kinds[item.name])
            check_value(item, getattr(self, item.name))

    @classmethod
    def from_values(cls: type[S], values: Mapping[str, Any]) -> S:
        """Make one from names and values; an unknown name is a SettingError."""
        for name in values:
            check_name(name, [item.name for item in fields(cls)])
        return cls(**{name: tuple(value) if isinstance(value, list) else value
                      for name, value in values.items()})


def about(item: 'Field[Any]') -> Mapping[str, Any]:
    """Give what `setting` was told of a field; of a plain field that anything is allowed."""
    return {**_PLAIN, **item.metadata}


def check_name(name: str, known: Collection[str], also: Collection[str] = ()) -> None:
    """Raise SettingError, with the nearest name, unless `name` is known, or also allowed."""
    if name not in known and name not in also:
        near = difflib.get_close_matches(name, known, 1)
        raise SettingError(f'{name}: no such parameter; ' + (
            f'did you mean {near[0]}?' if near else f'allowed: {", ".join(sorted(known))}'))


def check_type(name: str, value: object, kind: type) -> None:
    """Raise SettingError, saying what to write instead, unless `value` is exactly a `kind`."""
    if type(value) is kind:
        return
    if get_origin(kind) is tuple and isinstance(value, tuple):
        for index, element in enumerate(value):
            check_type(f'{name}[{index}]', element, get_args(kind)[0])
        return
    advice = f'write one of type {_ROS_NAMES[kind]}'
    if kind is float and type(value) is int:
        advice = f'write {value}.0'
    elif kind is str and isinstance(value, bool | int | float):
        advice = f"write '{value}' in quotes"
    elif kind is int and isinstance(value, float) and value.is_integer():
        advice = f'write {int(value)}'
    elif kind is bool:
        advice = 'write true or false'
    given = _ROS_NAMES.get(type(value), 'array')
    raise SettingError(f'{name}: {value!r} is of type {given}; {advice}')


def check_value(item: 'Field[Any]', value: Any) -> None:
    """Raise SettingError unless the value is among what the field allows."""
    allowed = describe_allowed(item)
    low, high, choices = (about(item)[key] for key in ('low', 'high', 'choices'))
    wrong = bool(choices) and value not in choices
    if isinstance(value, float):
        wrong |= not math.isfinite(value)
        allowed = allowed or 'finite numbers'
    if low is not None or high is not None:
        wrong |= not (low is None or value >= low) or not (high is None or value <= high)
    if wrong:
        raise SettingError(f'{item.name}: {value!r} is not allowed; allowed: {allowed}')


def describe_allowed(item: 'Field[Any]') -> str:
    """Say in words what a field allows; empty if anything of its type."""
    low, high, choices = (about(item)[key] for key in ('low', 'high', 'choices'))
    if choices:
        return ', '.join(repr(choice) for choice in choices)
    if low is not None and high is not None:
        return f'{low} to {high}'
    return '' if low is None else f'{low} or more'
