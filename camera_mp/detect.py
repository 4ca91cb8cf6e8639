"""
A detector by itself: pictures and videos in, one JSON line for each picture out.

`python -m camera_mp.detect a.png b.avi --detector aruco`; it needs no ROS. One detector sees all
files in their order, as if one camera had taken them.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
import json
from pathlib import Path
import signal
import sys

from camera_mp.detectors import Detector, detector_class, detector_names, DetectorSettings
from camera_mp.errors import CameraError, DetectorError
from camera_mp.frame import Pixels
from camera_mp.quiet_opencv import quieten_opencv
from camera_mp.settings_parser import add_options, read_options, whole_parser
from camera_mp.signals import exit_on
import cv2


def main(argv: Sequence[str] | None = None) -> int:
    """Look at all files; the exit code is 1 if one could not be read, which is one line."""
    exit_on()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends it, as every filter
    quieten_opencv()
    options, _ = _first_parser().parse_known_args(argv)
    try:
        kind = detector_class(options.detector)
        files, settings = _parse_settings(kind, argv)
        detector = kind(settings)
    except CameraError as error:
        print('detect:', error, file=sys.stderr)
        return 1
    return max([_look_at(file, detector) for file in files])


def _look_at(file: str, detector: Detector) -> int:
    try:
        for about, image in _pictures(file):
            if detector.encoding == 'mono8':
                image = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
            found = [asdict(detection) for detection in detector.detect(image)]
            print(json.dumps({'file': file, **about, 'width': image.shape[1],
                              'height': image.shape[0], 'detections': found}), flush=True)
    except DetectorError as error:
        print(f'detect: {file}: {error}', file=sys.stderr)
        return 1
    return 0


def _pictures(file: str) -> Iterator[tuple[dict[str, int], Pixels]]:
    """Give each picture, bgr8, and the number of its frame if the file is a video."""
    try:
        Path(file).open('rb').close()
    except OSError as error:
        raise DetectorError(f'{error.strerror}') from None
    image = cv2.imread(file, cv2.IMREAD_COLOR)
    if image is not None:
        yield {}, image
        return
    video = cv2.VideoCapture(file, cv2.CAP_FFMPEG)
    number = -1
    while (read := video.read())[0]:
        number += 1
        yield {'frame': number}, read[1]
    if number < 0:
        raise DetectorError('neither a picture nor a video that OpenCV can read')


def _first_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        'python -m camera_mp.detect', description='Look for things in pictures and videos: one '
        'JSON line for each picture.', add_help=False, allow_abbrev=False)
    parser.add_argument('--detector', default='aruco', metavar='NAME',
                        help=f'{", ".join(detector_names())}, or module:Class; '
                        '--help shows the options of each')
    return parser


def _parse_settings(kind: type[Detector],
                    argv: Sequence[str] | None) -> tuple[list[str], DetectorSettings]:
    parser = whole_parser(_first_parser())
    parser.add_argument('files', nargs='+', metavar='FILE', help='a picture or a video')
    add_options(parser, kind.Settings)
    options = parser.parse_args(argv)
    return options.files, read_options(options, kind.Settings)


if __name__ == '__main__':
    raise SystemExit(main())
