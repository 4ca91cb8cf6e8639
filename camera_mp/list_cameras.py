"""
Lists the cameras of this host: formats, sizes, frame rates and controls.

`python -m camera_mp.list_cameras [--json]`; it needs no ROS and starts no stream.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
import json

from camera_mp.controls import Control
from camera_mp.errors import SourceError
from camera_mp.v4l2.controls import Controls
from camera_mp.v4l2.device import Device
from camera_mp.v4l2.finding import CameraNode, list_cameras
from camera_mp.v4l2.modes import list_modes, Mode


@dataclass(frozen=True)
class Camera:
    """What is known of one camera; bus: where it is attached; trouble: why no more is known."""

    node: CameraNode
    bus: str = ''
    modes: tuple[Mode, ...] = ()
    controls: tuple[Control, ...] = ()
    trouble: str = ''


def look(node: CameraNode) -> Camera:
    """Ask a camera for all that it offers."""
    try:
        device = Device(node.path)
    except SourceError as error:
        return Camera(node, trouble=str(error))
    try:
        return Camera(node, device.capability.bus, list_modes(device), Controls(device).list())
    except SourceError as error:
        return Camera(node, device.capability.bus, trouble=str(error))
    finally:
        device.close()


def describe(camera: Camera) -> Iterator[str]:
    """Give the lines for one camera."""
    node = camera.node
    facts = {'serial': node.serial, 'model': node.model, 'driver': node.driver,
             'bus': camera.bus}
    yield node.name
    for path in (node.path, *node.links):
        yield f'    {path}'
    yield '    ' + ', '.join(f'{key} {value}' for key, value in facts.items() if value)
    if camera.trouble:
        yield f'    {camera.trouble}'
    for mode in camera.modes:
        yield f'  {mode.fourcc:<5} {mode.description}'
        for size in mode.sizes:
            yield f'    {size!s:<10}  {size.rates_text()}'
    if camera.controls:
        yield '  controls'
    for control in camera.controls:
        yield from _describe_control(control)


def _describe_control(control: Control) -> Iterator[str]:
    allowed = {'boolean': '', 'menu': ''}.get(
        control.kind, f' {control.minimum} to {control.maximum} step {control.step}')
    notes = ' (inactive)' * control.inactive + ' (read-only)' * control.read_only
    yield (f'    {control.name}: {control.kind}{allowed}, default {control.default}, '
           f'now {control.value}{notes}')
    for value, title in control.menu.items():
        yield f'        {value}: {title}'


def _to_json(camera: Camera) -> dict[str, object]:
    found = asdict(camera)
    return {**found.pop('node'), **found}


def main(argv: Sequence[str] | None = None) -> int:
    """Print what there is."""
    parser = argparse.ArgumentParser('list_cameras', description='List the cameras of this host '
                                     'with their formats, sizes, frame rates and controls.')
    parser.add_argument('--json', action='store_true', help='a JSON array, one object a camera')
    options = parser.parse_args(argv)
    cameras = [look(node) for node in list_cameras()]
    if options.json:
        print(json.dumps([_to_json(camera) for camera in cameras], indent=1))
    elif not cameras:
        print('no camera on this host (nothing that captures in /sys/class/video4linux)')
    for camera in [] if options.json else cameras:
        print('\n'.join(describe(camera)), end='\n\n')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
