"""Settings as options of a program: --image-width for image_width, checked as everywhere."""

import argparse
from collections.abc import Collection
from dataclasses import fields
from typing import Any, get_type_hints

from camera_mp.settings import describe_allowed, Settings


def add_settings(parser: argparse.ArgumentParser, kind: type[Settings],
                 leave_out: Collection[str] = ()) -> None:
    """Add an option for each setting of a group, but for those to leave out."""
    types = get_type_hints(kind)
    for item in fields(kind):
        if item.name in leave_out:
            continue
        allowed = describe_allowed(item)
        how: dict[str, Any] = {'type': types[item.name]}
        if types[item.name] is bool:
            how = {'action': argparse.BooleanOptionalAction}
        parser.add_argument('--' + item.name.replace('_', '-'), default=item.default, **how,
                            help=item.metadata['description'] + (f' [{allowed}]' * bool(allowed)))
