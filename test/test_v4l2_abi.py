"""The structs and numbers are those of the kernel; the values are a C compiler's on x86-64."""

import ctypes

from camera_mp.v4l2 import abi
import pytest


@pytest.mark.parametrize(('struct', 'size'), [
    (abi.Capability, 104), (abi.FormatDescription, 64), (abi.PixFormat, 48), (abi.Format, 208),
    (abi.CaptureParm, 40), (abi.StreamParm, 204), (abi.FrameSizeEnum, 44),
    (abi.FrameIntervalEnum, 52), (abi.RequestBuffers, 20), (abi.Buffer, 88), (abi.Control, 8),
    (abi.QueryControl, 68), (abi.QueryMenu, 44), (abi.TimeCode, 16),
])
def test_sizes(struct: type[ctypes.Structure], size: int) -> None:
    assert ctypes.sizeof(struct) == size


@pytest.mark.parametrize(('field', 'offset'), [
    (abi.Buffer.timestamp, 24), (abi.Buffer.sequence, 56), (abi.Buffer.m, 64),
    (abi.Buffer.length, 72), (abi.Format.fmt, 8), (abi.StreamParm.parm, 4),
    (abi.QueryMenu.item, 8), (abi.FrameSizeEnum.size, 12), (abi.FrameIntervalEnum.interval, 20),
])
def test_offsets(field: object, offset: int) -> None:
    assert field.offset == offset  # type: ignore[attr-defined]


@pytest.mark.parametrize(('name', 'number'), [
    ('QUERYCAP', 0x80685600), ('ENUM_FMT', 0xc0405602), ('G_FMT', 0xc0d05604),
    ('S_FMT', 0xc0d05605), ('REQBUFS', 0xc0145608), ('QUERYBUF', 0xc0585609),
    ('QBUF', 0xc058560f), ('DQBUF', 0xc0585611), ('STREAMON', 0x40045612),
    ('STREAMOFF', 0x40045613), ('G_PARM', 0xc0cc5615), ('S_PARM', 0xc0cc5616),
    ('G_CTRL', 0xc008561b), ('S_CTRL', 0xc008561c), ('QUERYCTRL', 0xc0445624),
    ('QUERYMENU', 0xc02c5625), ('ENUM_FRAMESIZES', 0xc02c564a),
    ('ENUM_FRAMEINTERVALS', 0xc034564b),
])
def test_ioctl_numbers(name: str, number: int) -> None:
    assert getattr(abi, f'VIDIOC_{name}') == number


@pytest.mark.parametrize(('name', 'number'), [
    ('MJPG', 0x47504a4d), ('Y16', 0x20363159), ('BA81', 0x31384142), ('Y16-BE', 0xa0363159),
])
def test_names_of_pixel_formats(name: str, number: int) -> None:
    assert abi.fourcc_name(number) == name
    assert name.endswith('-BE') or abi.fourcc(name) == number
