"""What a device offers: pixel formats, their sizes and their frame rates."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import errno
from itertools import count
from typing import TypeVar

from camera_mp.errors import SourceError
from camera_mp.v4l2 import abi
from camera_mp.v4l2.device import Device, hertz
from camera_mp.v4l2.trouble import explain

A = TypeVar('A', abi.FormatDescription, abi.FrameSizeEnum, abi.FrameIntervalEnum)


@dataclass(frozen=True)
class FrameSize:
    """
    One size, or all from one to another in steps.

    framerates: in Hz, as the driver lists them; the lowest and highest if `any_between`.
    """

    width: int
    height: int
    max_width: int
    max_height: int
    step_width: int
    step_height: int
    framerates: tuple[float, ...]
    any_between: bool = False

    def has(self, width: int, height: int) -> bool:
        """Tell whether this size is offered."""
        return (self.width <= width <= self.max_width
                and self.height <= height <= self.max_height
                and not (width - self.width) % (self.step_width or 1)
                and not (height - self.height) % (self.step_height or 1))

    def runs_at(self, framerate: float) -> bool:
        """Tell whether this rate is offered; a driver that lists none may have any."""
        if self.any_between:
            return self.framerates[0] <= framerate * 1.01 and (
                framerate <= self.framerates[1] * 1.01)
        return not self.framerates or any(
            same_rate(framerate, offered) for offered in self.framerates)

    def rates_text(self) -> str:
        """Give the rates for people: '30, 15 Hz'."""
        if not self.framerates:
            return 'any rate'
        return (' to ' if self.any_between else ', ').join(
            f'{rate:.4g}' for rate in self.framerates) + ' Hz'

    def __str__(self) -> str:
        """Give the size for people."""
        text = f'{self.width}x{self.height}'
        if (self.max_width, self.max_height) != (self.width, self.height):
            text += (f' to {self.max_width}x{self.max_height} in steps of '
                     f'{self.step_width}x{self.step_height}')
        return text


@dataclass(frozen=True)
class Mode:
    """A pixel format and the sizes a device has it in; none if the driver does not list them."""

    fourcc: str
    description: str
    sizes: tuple[FrameSize, ...]

    def offers(self, width: int, height: int, framerate: float) -> bool:
        """Tell whether it has this size at this rate; 0.0: at any."""
        return not self.sizes or any(
            size.has(width, height) and (not framerate or size.runs_at(framerate))
            for size in self.sizes)


def same_rate(one: float, other: float) -> bool:
    """Tell whether two rates are the same but for how they are written (29.97, 30)."""
    return abs(one - other) <= 0.01 * max(one, other)


def list_modes(device: Device) -> tuple[Mode, ...]:
    """Give all that a device offers, in the driver's order."""
    found = _enumerate(device, abi.VIDIOC_ENUM_FMT, lambda index: abi.FormatDescription(
        index=index, type=abi.V4L2_BUF_TYPE_VIDEO_CAPTURE))
    return tuple(Mode(abi.fourcc_name(each.pixelformat),
                      each.description.decode(errors='replace'),
                      tuple(_sizes(device, each.pixelformat))) for each in found)


def _sizes(device: Device, pixelformat: int) -> Iterator[FrameSize]:
    for found in _enumerate(device, abi.VIDIOC_ENUM_FRAMESIZES, lambda index: abi.FrameSizeEnum(
            index=index, pixel_format=pixelformat)):
        if found.type == abi.V4L2_FRMSIZE_TYPE_DISCRETE:
            width, height = found.discrete.width, found.discrete.height
            rates = _rates(device, pixelformat, width, height)
            yield FrameSize(width, height, width, height, 0, 0, *rates)
        else:
            steps = found.stepwise
            rates = _rates(device, pixelformat, steps.max_width, steps.max_height)
            yield FrameSize(steps.min_width, steps.min_height, steps.max_width,
                            steps.max_height, steps.step_width, steps.step_height, *rates)
            return


def _rates(device: Device, pixelformat: int, width: int,
           height: int) -> tuple[tuple[float, ...], bool]:
    rates = []
    for found in _enumerate(
            device, abi.VIDIOC_ENUM_FRAMEINTERVALS, lambda index: abi.FrameIntervalEnum(
                index=index, pixel_format=pixelformat, width=width, height=height)):
        if found.type != abi.V4L2_FRMIVAL_TYPE_DISCRETE:
            return (hertz(found.stepwise.max), hertz(found.stepwise.min)), True
        rates.append(hertz(found.discrete))
    return tuple(rates), False


def _enumerate(device: Device, request: int, make: Callable[[int], A]) -> Iterator[A]:
    """Ask for 0, 1, 2, ... until the driver says EINVAL: there are no more."""
    for index in count():
        question = make(index)
        try:
            device.ask(request, question)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY):
                return
            raise SourceError(f'video_device: {explain(device.path, error)}') from None
        yield question
