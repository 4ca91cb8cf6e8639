"""What image_topic.py measures of a camera: the way of a frame by its stops, and CPU time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
import os
from pathlib import Path
import shutil
import subprocess
import time
from typing import cast
from unittest.mock import patch

from camera import camera
from camera_mp.capture_loop import Capture
from camera_mp.capture_process import ReadyStream
from camera_mp.fast_dds import shared_file, VARIABLES
from camera_mp.frame import Frame, FrameFormat
from camera_mp.nodes.image_message import ImageMessage
from camera_mp.nodes.image_stream import ImageStream
from camera_mp.process_usage import ProcessUsage
from camera_mp.ring import FrameReader, FrameWriter
from camera_mp.sources.synthetic import SyntheticSettings
from image_topic_processes import orders, ros_node, running
from image_topic_subscriber import Seen, subscribe
import numpy as np
from report import percentiles

Row = dict[str, object]
Notes = dict[int, list[int]]  # stamp of a frame: times at which it came by
_WARM_UP = 0.5  # seconds after the first image
_STOPS = ('drawn in the ring', 'node awake', 'serialized', 'handed to Fast DDS',
          'first piece received', 'in the callback')


def capture(pipe: Connection, name: str, form: FrameFormat) -> None:
    """Capture as the real process does; note when a frame is drawn, just before its commit."""
    notes: Notes = {}
    real = FrameWriter.commit

    def commit(writer: FrameWriter, stamp_ns: int, sequence: int) -> None:
        notes[stamp_ns] = [time.time_ns()]
        real(writer, stamp_ns, sequence)
        if pipe.poll():
            pipe.recv()  # EOFError: that was all
            pipe.send(notes)

    settings = SyntheticSettings(image_width=form.width, image_height=form.height)
    with (patch.object(FrameWriter, 'commit', commit), suppress(EOFError),
          Capture(name, settings, lambda event: None) as source):
        source.run()


def node(pipe: Connection, name: str, form: FrameFormat) -> None:
    """Publish as the real node does; note when a frame is seen and when it is serialized."""
    notes: Notes = {}
    borrow_next, serialize = FrameReader.borrow_next, ImageMessage.serialize

    @contextmanager
    def noted_borrow(reader: FrameReader, timeout: float | None = None) -> Iterator[Frame]:
        with borrow_next(reader, timeout) as frame:
            notes[frame.stamp_ns] = [time.time_ns()]
            yield frame

    def noted_serialize(message: ImageMessage, frame: Frame) -> bytes:
        data = serialize(message, frame)
        notes[frame.stamp_ns].append(time.time_ns())
        return data

    with (patch.object(FrameReader, 'borrow_next', noted_borrow),
          patch.object(ImageMessage, 'serialize', noted_serialize),
          ros_node('camera', None, {'publisher': True}) as ros):
        stream = ImageStream(ros, ReadyStream(name, '', 'image_raw', form), f'/{name}/', 'camera',
                             lambda: 95)
        for _ in orders(pipe):
            pipe.send(notes)
        stream.close()


def ask(pipe: Connection) -> object:
    """Ask a process for what it has noted until now."""
    pipe.send(False)
    return pipe.recv()


def settle(receiver: Connection) -> None:
    """Wait until images come, and a little longer."""
    receiver.recv()
    while not cast(Seen, ask(receiver)).images:
        time.sleep(0.1)
    time.sleep(_WARM_UP)


def stops(form: FrameFormat, seconds: float) -> list[Row]:
    """Measure when a frame comes to each stop between its capture and a subscriber."""
    name = f'benchmark_{os.getpid()}_stops'
    topics = {f'/{name}/image_raw': 'reliable'}
    with (running(capture, name, form) as source, running(node, name, form) as ros,
          running(subscribe, topics, None, {}) as receiver):
        settle(receiver)
        ask(receiver)
        time.sleep(seconds)
        seen, drawn, published = ask(receiver), ask(source), ask(ros)
    assert isinstance(seen, Seen) and isinstance(drawn, dict) and isinstance(published, dict)
    times = np.array([[image.stamp, *drawn[image.stamp], *published[image.stamp],
                       image.in_dds, image.received, image.called] for image in seen.images])
    steps, ways = np.diff(times) / 1e6, (times[:, 1:] - times[:, :1]) / 1e6
    return [{'stop': stop, 'step p50 ms': float(np.median(step)),
             **{f'since capture {key} ms': value for key, value in percentiles(way).items()}}
            for stop, step, way in zip(_STOPS, steps.T, ways.T, strict=True)]


def _subscribed(program: str, topic: str, form: FrameFormat, pids: Sequence[int],
                seconds: float) -> Row:
    """Subscribe for some time to what runs already, and look at the CPU of its processes."""
    with running(subscribe, {topic: 'reliable'}, None, {}) as receiver:
        settle(receiver)
        usages = [(ProcessUsage(), pid) for pid in pids]
        for usage, pid in usages:
            usage.cpu(pid)
        ask(receiver)
        time.sleep(seconds)
        used = [usage.cpu(pid) or 0.0 for usage, pid in usages]
        seen = ask(receiver)
    assert isinstance(seen, Seen) and all(image.nbytes == form.nbytes for image in seen.images)
    ways = percentiles([(image.called - image.stamp) / 1e6 for image in seen.images])
    return {'program': program, 'size': f'{form.width}x{form.height}', 'capture CPU %': used[0],
            'node CPU %': used[1] if len(used) > 1 else '-', 'sum CPU %': sum(used),
            'subscriber CPU %': 100 * seen.cpu / seconds, 'images/s': len(seen.images) / seconds,
            **{f'since capture {key} ms': value for key, value in ways.items()}}


def camera_cost(form: FrameFormat, seconds: float) -> Row:
    """Measure the real camera node and its capture process, with one subscriber."""
    name = f'benchmark_{os.getpid()}_{form.height}'
    with camera(name, image_width=form.width, image_height=form.height) as process:
        with FrameReader(name) as reader:
            reader.wait(10)
            status = reader.status()
        assert status
        return _subscribed('camera', f'/{name}/image_raw', form, (status.pid, process.pid),
                           seconds)


def cam2image_cost(form: FrameFormat, seconds: float) -> Row | None:
    """Measure the C++ cam2image on the same profile; None: not installed."""
    ros2 = shutil.which('ros2')
    found = ros2 and subprocess.run([ros2, 'pkg', 'prefix', 'image_tools'], text=True,
                                    capture_output=True).stdout.strip()
    if not found:
        return None
    topic = f'/benchmark_{os.getpid()}_cam2image/image_raw'
    process = subprocess.Popen(
        [Path(found) / 'lib/image_tools/cam2image', '--ros-args', '-r', f'image:={topic}',
         '--log-level', 'warn', '-p', 'burger_mode:=true', '-p', 'frequency:=30.0',
         '-p', f'width:={form.width}', '-p', f'height:={form.height}'],
        env=os.environ | dict.fromkeys(VARIABLES, str(shared_file('config/fastdds.xml'))))
    try:
        return _subscribed('cam2image (C++)', topic, form, (process.pid,), seconds)
    finally:
        process.terminate()
        process.wait()
