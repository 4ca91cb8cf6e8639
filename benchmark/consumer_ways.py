"""The ways of a picture into another process that consumers.py compares: both ends of each."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
import ctypes
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
import multiprocessing
from multiprocessing.shared_memory import SharedMemory
import os
import queue
import time
from typing import Any

from camera_mp import FrameFormat, FrameReader, FrameWriter
from camera_mp.errors import RingError
from camera_mp.frame import Frame, Pixels
from camera_mp.nodes.qos import IMAGES
from image_topic_frames import Converter, to_bytes, to_object
from image_topic_processes import QUALITIES, ros_node, Tuning
import numpy as np
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import Image

LOOK = 0.25  # seconds after which a receiver says that nothing has come
DEPTH = 6  # pictures that a way keeps, where it can be told
_spawn = multiprocessing.get_context('spawn')

Sender = Callable[[FrameFormat, Any], AbstractContextManager['Outgoing']]
Receiver = Callable[[FrameFormat, Any], Iterator[Pixels | None]]  # None: nothing came


@dataclass(frozen=True)
class Outgoing:
    """
    The sending end.

    begin: gives memory to draw the next picture in; shared memory, if the way has it.
    send: hands over what was drawn.
    """

    begin: Callable[[], Pixels]
    send: Callable[[], object]


@dataclass(frozen=True)
class Way:
    """
    One way: what its ends share, and the ends.

    gives: 'copy' if a picture received is the receiver's own, 'view' if it lies where all see it.
    """

    name: str
    gives: str
    connect: Callable[[FrameFormat], AbstractContextManager[Any]]
    sender: Sender
    receiver: Receiver


@contextmanager
def _named(form: FrameFormat) -> Iterator[str]:
    yield f'benchmark_{os.getpid()}_{time.monotonic_ns()}'


@contextmanager
def _send_ring(form: FrameFormat, name: str) -> Iterator[Outgoing]:
    with FrameWriter(name, form, slots=DEPTH) as writer:
        yield Outgoing(writer.begin, partial(writer.commit, 0, 0))


def _ring_copies(form: FrameFormat, name: str) -> Iterator[Pixels | None]:
    with FrameReader(name) as reader:
        while True:
            try:
                yield reader.next(LOOK).image
            except RingError:
                yield None


def _ring_views(form: FrameFormat, name: str) -> Iterator[Pixels | None]:
    with FrameReader(name) as reader:
        while True:
            try:
                with reader.borrow_next(LOOK) as frame:
                    yield frame.image
            except RingError:
                yield None


def _iceoryx2_services(name: str) -> tuple[Any, Any, Any]:
    """Give iceoryx2, a publish-subscribe service of bytes, and the events beside it."""
    iox = import_module('iceoryx2')
    iox.set_log_level(iox.LogLevel.Error)
    node = iox.NodeBuilder.new().signal_handling_mode(
        iox.SignalHandlingMode.Disabled).create(iox.ServiceType.Ipc)
    builder = node.service_builder(iox.ServiceName.new(name))
    pictures = builder.publish_subscribe(iox.Slice[ctypes.c_uint8])
    events = node.service_builder(iox.ServiceName.new(name)).event()
    return (iox, pictures.subscriber_max_buffer_size(DEPTH).open_or_create(),
            events.open_or_create())


@contextmanager
def _send_iceoryx2(form: FrameFormat, name: str) -> Iterator[Outgoing]:
    _, pictures, events = _iceoryx2_services(name)
    publisher = pictures.publisher_builder().initial_max_slice_len(form.nbytes).create()
    notifier = events.notifier_builder().create()
    loans: list[Any] = []

    def begin() -> Pixels:
        loans.append(publisher.loan_slice_uninit(form.nbytes))
        memory = (ctypes.c_uint8 * form.nbytes).from_address(loans[0].payload_ptr)
        return np.ctypeslib.as_array(memory).reshape(form.shape)

    def send() -> None:
        loans.pop().assume_init().send()
        notifier.notify()
    yield Outgoing(begin, send)


def _iceoryx2_views(form: FrameFormat, name: str) -> Iterator[Pixels | None]:
    iox, pictures, events = _iceoryx2_services(name)
    subscriber = pictures.subscriber_builder().buffer_size(DEPTH).create()
    listener = events.listener_builder().create()
    patience = iox.Duration.from_secs_f64(LOOK)
    while True:
        sample = subscriber.receive()
        if sample is not None:
            yield np.asarray(sample.payload().as_memory_view()).reshape(form.shape)
            sample.delete()
        elif not listener.timed_wait(patience):
            yield None


def _iceoryx2_copies(form: FrameFormat, name: str) -> Iterator[Pixels | None]:
    for view in _iceoryx2_views(form, name):
        yield None if view is None else view.copy()


def _outgoing(form: FrameFormat, send: Callable[[Pixels], object]) -> Outgoing:
    """Give the end of a way that takes pictures out of the sender's own memory."""
    own = np.empty(form.shape, form.dtype)
    return Outgoing(lambda: own, partial(send, own))


@contextmanager
def _send_topic(tuning: Tuning, converter: Callable[[FrameFormat], Converter],
                form: FrameFormat, topic: str) -> Iterator[Outgoing]:
    convert = converter(form)
    with ros_node('sender', 'LOCALHOST', tuning) as node:
        publisher = node.create_publisher(Image, topic, IMAGES)
        while not publisher.get_subscription_count():
            time.sleep(LOOK)
        yield _outgoing(form, lambda image: publisher.publish(
            convert(Frame(image, form, 0, 0, 0))))


def _topic_images(tuning: Tuning, form: FrameFormat, topic: str) -> Iterator[Pixels | None]:
    images: list[Pixels] = []

    def keep(message: Image) -> None:
        images.append(np.frombuffer(message.data, np.uint8).reshape(form.shape))
    with ros_node('receiver', 'LOCALHOST', tuning) as node:
        node.create_subscription(Image, topic, keep, QUALITIES['reliable'])
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while True:
            executor.spin_once(LOOK)
            yield images.pop() if images else None


@contextmanager
def _queue(form: FrameFormat) -> Iterator[Any]:
    yield _spawn.Queue(DEPTH)


@contextmanager
def _send_queue(form: FrameFormat, channel: Any) -> Iterator[Outgoing]:
    # a copy, because the queue's thread reads the picture later
    yield _outgoing(form, lambda image: channel.put(image.copy()))


def _queue_images(form: FrameFormat, channel: Any) -> Iterator[Pixels | None]:
    while True:
        try:
            yield channel.get(timeout=LOOK)
        except queue.Empty:
            yield None


@contextmanager
def _pipe(form: FrameFormat) -> Iterator[Any]:
    yield _spawn.Pipe(duplex=False)


@contextmanager
def _send_pipe(form: FrameFormat, channel: Any) -> Iterator[Outgoing]:
    yield _outgoing(form, channel[1].send)


def _pipe_images(form: FrameFormat, channel: Any) -> Iterator[Pixels | None]:
    while True:
        yield channel[0].recv() if channel[0].poll(LOOK) else None


@contextmanager
def _shared_memory(form: FrameFormat) -> Iterator[Any]:
    memory = SharedMemory(create=True, size=form.nbytes)
    try:
        yield memory, _spawn.Event()
    finally:
        memory.close()
        memory.unlink()


@contextmanager
def _send_shared_memory(form: FrameFormat, channel: Any) -> Iterator[Outgoing]:
    memory, event = channel
    yield Outgoing(lambda: np.ndarray(form.shape, form.dtype, memory.buf), event.set)


def _shared_memory_copies(form: FrameFormat, channel: Any) -> Iterator[Pixels | None]:
    memory, event = channel
    while True:
        if event.wait(LOOK):
            event.clear()
            yield np.ndarray(form.shape, form.dtype, memory.buf).copy()
        else:
            yield None


RING, ICEORYX2 = 'ring', 'iceoryx2'
TUNED, STOCK = 'topic, tuned', 'topic, stock'
WAYS = [
    Way(RING, 'copy', _named, _send_ring, _ring_copies),
    Way(RING, 'view', _named, _send_ring, _ring_views),
    Way(ICEORYX2, 'copy', _named, _send_iceoryx2, _iceoryx2_copies),
    Way(ICEORYX2, 'view', _named, _send_iceoryx2, _iceoryx2_views),
    Way(TUNED, 'copy', _named, partial(_send_topic, {'publisher': True}, to_bytes),
        partial(_topic_images, {})),
    Way(STOCK, 'copy', _named, partial(_send_topic, None, to_object),
        partial(_topic_images, None)),
    Way('Queue', 'copy', _queue, _send_queue, _queue_images),
    Way('Pipe', 'copy', _pipe, _send_pipe, _pipe_images),
    Way('SharedMemory + Event', 'copy', _shared_memory, _send_shared_memory,
        _shared_memory_copies),
]


def ways_here() -> list[Way]:
    """Give the ways that can be tried on this machine."""
    if find_spec('iceoryx2'):
        return WAYS
    print('\niceoryx2 is left out; pip install iceoryx2 brings it in')
    return [way for way in WAYS if way.name != ICEORYX2]
