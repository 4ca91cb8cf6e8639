"""Shows the cameras of this host: in a window, in a browser, or later from a file."""

import argparse
from collections.abc import Sequence
import sys

from camera_mp.errors import CameraError
from camera_mp.signals import ignore, StopFlag
from camera_mp.viewing import step_back, Viewing, ViewSettings


def main(argv: Sequence[str] | None = None) -> int:
    """Run `view`; the exit code is 1 after an error, which is one line."""
    options = _parser().parse_args(argv)
    stop = StopFlag()
    step_back()
    try:
        settings = ViewSettings.from_values({
            'cameras': ','.join(options.cameras), 'max_rate': options.max_rate,
            'mode': options.mode or ('save' if options.save_file else 'auto'),
            'web_port': options.web_port, 'grpc_port': options.grpc_port,
            'save_file': options.save_file, 'jpeg_quality': options.jpeg_quality,
            'memory_limit': options.memory_limit})
        viewing = Viewing(settings, options.domain)
    except CameraError as error:
        print(f'view: {error}', file=sys.stderr)
        return 1
    print(viewing.place, flush=True)
    viewing.run(stop)
    viewing.close()
    ignore()
    return 0


def _parser() -> argparse.ArgumentParser:
    default = ViewSettings()
    parser = argparse.ArgumentParser(
        'view', description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add('cameras', nargs='*', default=[], help='names of cameras; none: all on this host')
    add('--serve', dest='mode', action='store_const', const='serve', default='',
        help='for a browser, also where there is a display')
    add('--save', dest='save_file', metavar='FILE', default='', help='write an .rrd file')
    add('--max-rate', type=float, default=default.max_rate, metavar='HZ',
        help='most pictures of a camera a second')
    add('--web-port', type=int, default=default.web_port, help='of the page')
    add('--grpc-port', type=int, default=default.grpc_port, help='of the data')
    add('--jpeg-quality', type=int, default=default.jpeg_quality, help='1 to 100')
    add('--memory-limit', default=default.memory_limit,
        help='of what is kept for a browser that comes later')
    add('--domain', type=int, help='ROS domain id (default: ROS_DOMAIN_ID)')
    return parser


if __name__ == '__main__':
    raise SystemExit(main())
