"""Command line options out of declared settings, and settings out of the options given."""

import argparse
from collections.abc import Collection
from dataclasses import fields
from typing import Any, get_type_hints, TypeVar

from camera_mp.settings import about, describe_allowed, Settings

S = TypeVar('S', bound=Settings)


def add_options(parser: argparse.ArgumentParser, kind: type[Settings],
                leave_out: Collection[str] = ()) -> None:
    """Add an option for each field of the settings but those that are left out."""
    types = get_type_hints(kind)
    for item in fields(kind):
        if item.name in leave_out:
            continue
        allowed = describe_allowed(item)
        how: dict[str, Any] = {'type': types[item.name]}
        if types[item.name] is bool:
            how = {'action': argparse.BooleanOptionalAction}
        parser.add_argument('--' + item.name.replace('_', '-'), default=item.default, **how,
                            help=about(item)['description'] + (f' [{allowed}]' * bool(allowed)))


def whole_parser(first: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Go on from a parser without --help that has found out whose options are to be added."""
    return argparse.ArgumentParser(parents=[first], prog=first.prog,
                                   description=first.description, allow_abbrev=False)


def read_options(options: argparse.Namespace, kind: type[S]) -> S:
    """Make the settings of what was given; SettingError for a value that is not allowed."""
    return kind.from_values({item.name: getattr(options, item.name) for item in fields(kind)})
