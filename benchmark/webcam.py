"""
Source v4l2 against OpenCV on an emulated webcam, and the cable pulled 20 times: in the guest.

    make bench-v4l2

CPU times are those of the reading process alone; the processors are emulated, and slow: compare.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
import subprocess
import sys
import time

from camera_mp.ring import FrameReader, RingMapping, RingStatus, State
from camera_mp.ring.file import DIRECTORY, ring_path
from options import read_options, Row
from processes import capture, cpu_per_second, cpu_seconds
from report import percentiles, Report

sys.path.append(str(Path(__file__).parent.parent / 'test' / 'webcam_vm'))
from plugged import plug, plugged, video_nodes  # noqa: E402
from webcam_daemon import WebcamHandle  # noqa: E402

RING = 'bench'
_PATIENCE = 60.0
_OPENCV = """
import sys, time, cv2
cv2.setNumThreads(1)
device, pixel_format, width, height, raw, seconds = sys.argv[1:]
capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*pixel_format))
capture.set(cv2.CAP_PROP_FRAME_WIDTH, int(width))
capture.set(cv2.CAP_PROP_FRAME_HEIGHT, int(height))
capture.set(cv2.CAP_PROP_CONVERT_RGB, int(raw == '0'))
for _ in range(5):
    assert capture.read()[0]
frames, cpu, start = 0, time.process_time(), time.monotonic()
while time.monotonic() - start < float(seconds):
    assert capture.read()[0]
    frames += 1
print(frames, time.monotonic() - start, time.process_time() - cpu)
"""


def _row(way: str, frames: float, seconds: float, cpu: float) -> Row:
    return {'way': way, 'frames/s': frames / seconds, 'CPU per frame (ms)': 1000 * cpu / frames}


def with_opencv(way: str, device: str, pixel_format: str, size: tuple[int, int], *, raw: bool,
                seconds: float) -> Row:
    """Read with cv2.VideoCapture, in a process of its own."""
    done = subprocess.run(
        [sys.executable, '-c', _OPENCV, device, pixel_format, *map(str, size), str(int(raw)),
         str(seconds)], text=True, stdout=subprocess.PIPE, check=True)
    frames, elapsed, cpu = map(float, done.stdout.split())
    return _row(way, frames, elapsed, cpu)


def with_capture(way: str, device: str, pixel_format: str, size: tuple[int, int], *, ring: str,
                 seconds: float) -> Row:
    """Let a capture process write its rings; one of them has a reader, asleep."""
    with _capturing(device, pixel_format, size) as pid, FrameReader(ring) as reader:
        reader.wait(_PATIENCE)
        before, cpu, start = _status(ring).committed, cpu_seconds(pid), time.monotonic()
        time.sleep(seconds)
        after, used, end = _status(ring).committed, cpu_seconds(pid), time.monotonic()
    return _row(way, after - before, end - start, used - cpu)


def _capturing(device: str, pixel_format: str, size: tuple[int, int],
               ) -> AbstractContextManager[int]:
    return capture(RING, '--source', 'v4l2', '--video-device', device,
                   '--pixel-format', pixel_format, '--image-width', size[0],
                   '--image-height', size[1])


def _status(ring: str) -> RingStatus:
    mapping = RingMapping.open(ring_path(ring))
    assert mapping
    return mapping.status()


def streaming(device: str, seconds: float) -> list[Row]:
    """Measure both formats both ways, in turns so that a slow minute of the host hits all."""
    rows = []
    for _ in range(2):
        for pixel_format, size, raw, ring, what in (
                ('MJPG', (1280, 720), True, f'{RING}.compressed', 'MJPG 1280x720, as it is'),
                ('YUYV', (640, 480), False, RING, 'YUYV 640x480 to bgr8')):
            rows.append(with_opencv(f'{what}: OpenCV', device, pixel_format, size, raw=raw,
                                    seconds=seconds))
            rows.append(with_capture(f'{what}: ring', device, pixel_format, size, ring=ring,
                                     seconds=seconds))
    return sorted(rows, key=lambda row: str(row['way']))


def _seconds_until(condition: Callable[[], bool], since: float) -> float:
    while not condition():
        if time.monotonic() > since + _PATIENCE:
            raise SystemExit('it never came true')
        time.sleep(0.002)
    return time.monotonic() - since


def pulls(webcam: WebcamHandle, count: int) -> list[Row]:
    """Pull the cable again and again: how soon that is noticed, what waiting costs, the return."""
    noticed, back, waiting = [], [], []
    with _capturing(webcam.serial, 'YUYV', (320, 240)) as pid:
        open_files = len(list(Path(f'/proc/{pid}/fd').iterdir()))
        for _ in range(count):
            noticed.append(_seconds_until(
                lambda: _status(RING).state == State.RECONNECTING, webcam.unplug()))
            time.sleep(1.0)  # it lets go of the camera
            waiting.append(cpu_per_second([pid], 2.0)[0])
            written = _status(RING).committed
            plug(webcam)
            back.append(_seconds_until(
                lambda least=written: _status(RING).committed > least,  # type: ignore[misc]
                time.monotonic()))
        left = len(list(Path(f'/proc/{pid}/fd').iterdir())) - open_files
    return [_goal('unplug noticed (s)', noticed, 0.5),
            _goal('streaming again after its return (s)', back, 2.0),
            _goal('CPU while it is away (% of a core)', waiting, 2.0),
            _goal('files of the capture left open', [float(left)], 0.0),
            _goal('files left in shared memory', [float(len(list(
                DIRECTORY.glob(f'camera_mp.*{RING}*'))))], 0.0)]


def _goal(what: str, values: list[float], most: float) -> Row:
    return {'what': what, **percentiles(values), 'goal': most,
            'reached': f'{sum(value <= most for value in values)} of {len(values)}'}


def main() -> None:
    """Run all of it."""
    options = read_options('Source v4l2 against OpenCV, and pulled cables; in the guest.')
    report = Report('Webcam')
    with plugged(0) as webcam:
        device = video_nodes(webcam.serial)[0]
        report.add('Streaming', streaming(device, 3 if options.quick else 10))
        report.add('Cable', pulls(webcam, 5 if options.quick else 20))
    report.save(options.json)


if __name__ == '__main__':
    main()
