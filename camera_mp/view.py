"""Shows the cameras of this host: in a window, in a browser, or later from a file."""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
import sys

from camera_mp.detectors import detector_names
from camera_mp.errors import CameraError
from camera_mp.settings import ALL
from camera_mp.settings_parser import add_options, read_options
from camera_mp.signals import ignore, StopFlag
from camera_mp.view_detections import ViewDetections
from camera_mp.viewing import step_back, Viewing, ViewSettings


def main(argv: Sequence[str] | None = None) -> int:
    """Run `view`; the exit code is 1 after an error, which is one line."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.detect and not options.cameras:
        parser.error('--detect: name the cameras to look for things in')
    if options.mode and options.save_file:
        parser.error('--save: not allowed with --serve; allowed: one of them')
    cameras = options.cameras
    options.cameras = tuple(cameras) or (ALL,)
    options.mode = options.mode or ('save' if options.save_file else 'auto')
    stop = StopFlag()
    step_back()
    try:
        with ExitStack() as undo:
            viewing = Viewing(read_options(options, ViewSettings), options.domain)
            undo.callback(viewing.close)
            if options.detect:
                drawn = ViewDetections(viewing, cameras, options.detect, options.domain)
                undo.callback(drawn.close)
            print(viewing.place, flush=True)
            viewing.run(stop)
    except CameraError as error:
        print(f'view: {error}', file=sys.stderr)
        return 1
    ignore()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser('view', description=__doc__)
    parser.add_argument('cameras', nargs='*', default=[],
                        help='names of cameras; none: all on this host')
    parser.add_argument('--serve', dest='mode', action='store_const', const='serve', default='',
                        help='for a browser, also where there is a display')
    parser.add_argument('--save', dest='save_file', metavar='FILE', default='',
                        help='write an .rrd file')
    parser.add_argument('--detect', metavar='DETECTOR', default='',
                        help='draw boxes over the cameras named: ' + ', '.join(detector_names()))
    parser.add_argument('--domain', type=int, help='ROS domain id (default: ROS_DOMAIN_ID)')
    add_options(parser, ViewSettings, leave_out=('cameras', 'mode', 'save_file'))
    return parser


if __name__ == '__main__':
    raise SystemExit(main())
