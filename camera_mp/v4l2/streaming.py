"""Frames of an open device in memory that it shares with the driver, without a copy."""

import contextlib
from ctypes import c_int32
from dataclasses import dataclass, field
import errno
import mmap
import select

from camera_mp.errors import SourceError, SourceLost
from camera_mp.frame import Pixels
from camera_mp.v4l2 import abi, kernel
from camera_mp.v4l2.device import Device
from camera_mp.v4l2.trouble import explain
import numpy as np

_BUFFERS = 4  # one is looked at, one is filled, two take up what is late


@dataclass(frozen=True)
class Buffer:
    """
    A frame in the driver's memory.

    data: (bytesused,) uint8, a view that holds until `requeue`.
    stamp_ns: CLOCK_MONOTONIC, 0 if the driver's stamp is of another clock.
    sequence: the driver's 32-bit number. error: the driver knows that the data is bad.
    """

    index: int
    data: Pixels = field(repr=False)
    stamp_ns: int
    sequence: int
    error: bool


class Streaming:
    """
    The stream of a device, on until `stop`; one thread uses it.

    Raises SourceError if the device cannot stream, because another program has it for example.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._maps: list[mmap.mmap] = []
        self._views: list[Pixels] = []  # of the maps
        self._asked: list[abi.Buffer] = []  # to be queued, one for each map
        self._found = _buffer(0)  # what was dequeued
        self._poll = kernel.poller(device.fd)
        try:
            self._map()
            for buffer in self._asked:
                device.ask(abi.VIDIOC_QBUF, buffer)
            device.ask(abi.VIDIOC_STREAMON, _stream_type())
        except OSError as error:
            self.stop()
            raise SourceError(f'video_device: {explain(device.path, error)}') from None

    def _map(self) -> None:
        request = abi.RequestBuffers(count=_BUFFERS, type=abi.V4L2_BUF_TYPE_VIDEO_CAPTURE,
                                     memory=abi.V4L2_MEMORY_MMAP)
        self._device.ask(abi.VIDIOC_REQBUFS, request)
        for index in range(request.count):
            buffer = _buffer(index)
            self._device.ask(abi.VIDIOC_QUERYBUF, buffer)
            self._maps.append(kernel.map_memory(self._device.fd, buffer.length,
                                                buffer.m.offset))
            self._views.append(np.frombuffer(self._maps[-1], np.uint8))
            self._asked.append(buffer)

    def dequeue(self, seconds: float) -> Buffer | None:
        """
        Wait for the next frame, asleep; None if there is none in time.

        Raises SourceLost at once when the device goes away.
        """
        events = self._poll(seconds)
        if events & (select.POLLERR | select.POLLHUP | select.POLLNVAL):
            raise SourceLost(f'{self._device.path} was unplugged')
        if not events:
            return None
        found = self._found
        try:
            self._device.ask(abi.VIDIOC_DQBUF, found)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._lost(error) from None
        clock = found.flags & abi.V4L2_BUF_FLAG_TIMESTAMP_MASK
        stamp_ns = found.timestamp.tv_sec * 10**9 + found.timestamp.tv_usec * 1000
        return Buffer(
            found.index, self._views[found.index][:found.bytesused],
            stamp_ns if clock == abi.V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC else 0,
            found.sequence, bool(found.flags & abi.V4L2_BUF_FLAG_ERROR))

    def requeue(self, index: int) -> None:
        """Give a frame's memory back to the driver; SourceLost if the device is gone."""
        try:
            self._device.ask(abi.VIDIOC_QBUF, self._asked[index])
        except OSError as error:
            raise self._lost(error) from None

    def _lost(self, error: OSError) -> SourceLost:
        if error.errno == errno.ENODEV:
            return SourceLost(f'{self._device.path} was unplugged')
        return SourceLost(f'lost the camera: {explain(self._device.path, error)}')

    def stop(self) -> None:
        """Stop the stream and let go of its memory, else the device stays open."""
        with contextlib.suppress(OSError):  # the device may be gone
            self._device.ask(abi.VIDIOC_STREAMOFF, _stream_type())
        self._views.clear()
        while self._maps:
            # an exception on its way may hold a view; the memory goes with the exception then
            with contextlib.suppress(BufferError):
                self._maps.pop().close()


def _buffer(index: int) -> abi.Buffer:
    return abi.Buffer(index=index, type=abi.V4L2_BUF_TYPE_VIDEO_CAPTURE,
                      memory=abi.V4L2_MEMORY_MMAP)


def _stream_type() -> c_int32:
    return c_int32(abi.V4L2_BUF_TYPE_VIDEO_CAPTURE)
