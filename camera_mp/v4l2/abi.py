"""
The kernel's interface to cameras: structs, ioctl numbers and constants.

All are those of include/uapi/linux/videodev2.h (and v4l2-controls.h for the ids of controls) of
Linux 6.1, with the names of their fields; x86-64 and aarch64 have the same layout.
"""

import ctypes
from ctypes import c_char, c_int32, c_int64, c_long, c_uint8, c_uint32, c_uint64


class Capability(ctypes.Structure):
    """struct v4l2_capability."""

    _fields_ = [('driver', c_char * 16), ('card', c_char * 32), ('bus_info', c_char * 32),
                ('version', c_uint32), ('capabilities', c_uint32), ('device_caps', c_uint32),
                ('reserved', c_uint32 * 3)]


class FormatDescription(ctypes.Structure):
    """struct v4l2_fmtdesc."""

    _fields_ = [('index', c_uint32), ('type', c_uint32), ('flags', c_uint32),
                ('description', c_char * 32), ('pixelformat', c_uint32),
                ('mbus_code', c_uint32), ('reserved', c_uint32 * 3)]


class PixFormat(ctypes.Structure):
    """struct v4l2_pix_format."""

    _fields_ = [('width', c_uint32), ('height', c_uint32), ('pixelformat', c_uint32),
                ('field', c_uint32), ('bytesperline', c_uint32), ('sizeimage', c_uint32),
                ('colorspace', c_uint32), ('priv', c_uint32), ('flags', c_uint32),
                ('ycbcr_enc', c_uint32), ('quantization', c_uint32), ('xfer_func', c_uint32)]


class _FormatUnion(ctypes.Union):
    _fields_ = [('pix', PixFormat), ('raw_data', c_uint64 * 25)]  # one member has a pointer


class Format(ctypes.Structure):
    """struct v4l2_format."""

    _fields_ = [('type', c_uint32), ('fmt', _FormatUnion)]


class Fraction(ctypes.Structure):
    """struct v4l2_fract."""

    _fields_ = [('numerator', c_uint32), ('denominator', c_uint32)]


class CaptureParm(ctypes.Structure):
    """struct v4l2_captureparm."""

    _fields_ = [('capability', c_uint32), ('capturemode', c_uint32), ('timeperframe', Fraction),
                ('extendedmode', c_uint32), ('readbuffers', c_uint32),
                ('reserved', c_uint32 * 4)]


class _ParmUnion(ctypes.Union):
    _fields_ = [('capture', CaptureParm), ('raw_data', c_uint8 * 200)]


class StreamParm(ctypes.Structure):
    """struct v4l2_streamparm."""

    _fields_ = [('type', c_uint32), ('parm', _ParmUnion)]


class _DiscreteSize(ctypes.Structure):
    _fields_ = [('width', c_uint32), ('height', c_uint32)]


class _StepwiseSize(ctypes.Structure):
    _fields_ = [('min_width', c_uint32), ('max_width', c_uint32), ('step_width', c_uint32),
                ('min_height', c_uint32), ('max_height', c_uint32), ('step_height', c_uint32)]


class _SizeUnion(ctypes.Union):
    _fields_ = [('discrete', _DiscreteSize), ('stepwise', _StepwiseSize)]


class FrameSizeEnum(ctypes.Structure):
    """struct v4l2_frmsizeenum."""

    _anonymous_ = ('size',)
    _fields_ = [('index', c_uint32), ('pixel_format', c_uint32), ('type', c_uint32),
                ('size', _SizeUnion), ('reserved', c_uint32 * 2)]


class _StepwiseInterval(ctypes.Structure):
    _fields_ = [('min', Fraction), ('max', Fraction), ('step', Fraction)]


class _IntervalUnion(ctypes.Union):
    _fields_ = [('discrete', Fraction), ('stepwise', _StepwiseInterval)]


class FrameIntervalEnum(ctypes.Structure):
    """struct v4l2_frmivalenum."""

    _anonymous_ = ('interval',)
    _fields_ = [('index', c_uint32), ('pixel_format', c_uint32), ('width', c_uint32),
                ('height', c_uint32), ('type', c_uint32), ('interval', _IntervalUnion),
                ('reserved', c_uint32 * 2)]


class RequestBuffers(ctypes.Structure):
    """struct v4l2_requestbuffers."""

    _fields_ = [('count', c_uint32), ('type', c_uint32), ('memory', c_uint32),
                ('capabilities', c_uint32), ('flags', c_uint8), ('reserved', c_uint8 * 3)]


class TimeVal(ctypes.Structure):
    """struct timeval."""

    _fields_ = [('tv_sec', c_long), ('tv_usec', c_long)]


class TimeCode(ctypes.Structure):
    """struct v4l2_timecode."""

    _fields_ = [('type', c_uint32), ('flags', c_uint32), ('frames', c_uint8),
                ('seconds', c_uint8), ('minutes', c_uint8), ('hours', c_uint8),
                ('userbits', c_uint8 * 4)]


class _Memory(ctypes.Union):
    _fields_ = [('offset', c_uint32), ('userptr', c_uint64)]


class Buffer(ctypes.Structure):
    """struct v4l2_buffer."""

    _fields_ = [('index', c_uint32), ('type', c_uint32), ('bytesused', c_uint32),
                ('flags', c_uint32), ('field', c_uint32), ('timestamp', TimeVal),
                ('timecode', TimeCode), ('sequence', c_uint32), ('memory', c_uint32),
                ('m', _Memory), ('length', c_uint32), ('reserved2', c_uint32),
                ('request_fd', c_int32)]


class Control(ctypes.Structure):
    """struct v4l2_control."""

    _fields_ = [('id', c_uint32), ('value', c_int32)]


class QueryControl(ctypes.Structure):
    """struct v4l2_queryctrl."""

    _fields_ = [('id', c_uint32), ('type', c_uint32), ('name', c_char * 32),
                ('minimum', c_int32), ('maximum', c_int32), ('step', c_int32),
                ('default_value', c_int32), ('flags', c_uint32), ('reserved', c_uint32 * 2)]


class _MenuUnion(ctypes.Union):
    _pack_ = 1
    _layout_ = 'ms'  # what _pack_ means; Python 3.14 asks for it
    _fields_ = [('name', c_char * 32), ('value', c_int64)]


class QueryMenu(ctypes.Structure):
    """struct v4l2_querymenu, which is packed."""

    _pack_ = 1
    _layout_ = 'ms'
    _anonymous_ = ('item',)
    _fields_ = [('id', c_uint32), ('index', c_uint32), ('item', _MenuUnion),
                ('reserved', c_uint32)]


_WRITE, _READ = 1, 2  # as include/uapi/asm-generic/ioctl.h, with the macros _IOW and _IOR


def _number(direction: int, number: int, argument: type) -> int:
    return direction << 30 | ctypes.sizeof(argument) << 16 | ord('V') << 8 | number


VIDIOC_QUERYCAP = _number(_READ, 0, Capability)
VIDIOC_ENUM_FMT = _number(_READ | _WRITE, 2, FormatDescription)
VIDIOC_G_FMT = _number(_READ | _WRITE, 4, Format)
VIDIOC_S_FMT = _number(_READ | _WRITE, 5, Format)
VIDIOC_REQBUFS = _number(_READ | _WRITE, 8, RequestBuffers)
VIDIOC_QUERYBUF = _number(_READ | _WRITE, 9, Buffer)
VIDIOC_QBUF = _number(_READ | _WRITE, 15, Buffer)
VIDIOC_DQBUF = _number(_READ | _WRITE, 17, Buffer)
VIDIOC_STREAMON = _number(_WRITE, 18, c_int32)
VIDIOC_STREAMOFF = _number(_WRITE, 19, c_int32)
VIDIOC_G_PARM = _number(_READ | _WRITE, 21, StreamParm)
VIDIOC_S_PARM = _number(_READ | _WRITE, 22, StreamParm)
VIDIOC_G_CTRL = _number(_READ | _WRITE, 27, Control)
VIDIOC_S_CTRL = _number(_READ | _WRITE, 28, Control)
VIDIOC_QUERYCTRL = _number(_READ | _WRITE, 36, QueryControl)
VIDIOC_QUERYMENU = _number(_READ | _WRITE, 37, QueryMenu)
VIDIOC_ENUM_FRAMESIZES = _number(_READ | _WRITE, 74, FrameSizeEnum)
VIDIOC_ENUM_FRAMEINTERVALS = _number(_READ | _WRITE, 75, FrameIntervalEnum)

V4L2_BUF_TYPE_VIDEO_CAPTURE = 1
V4L2_MEMORY_MMAP = 1
V4L2_FIELD_NONE = 1
V4L2_BUF_FLAG_ERROR = 0x40
V4L2_BUF_FLAG_TIMESTAMP_MASK = 0xE000
V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC = 0x2000

V4L2_CAP_VIDEO_CAPTURE = 0x1
V4L2_CAP_VIDEO_CAPTURE_MPLANE = 0x1000
V4L2_CAP_STREAMING = 0x04000000
V4L2_CAP_DEVICE_CAPS = 0x80000000
V4L2_CAP_TIMEPERFRAME = 0x1000  # of struct v4l2_captureparm

V4L2_FRMSIZE_TYPE_DISCRETE = 1
V4L2_FRMIVAL_TYPE_DISCRETE = 1

V4L2_CTRL_TYPE_INTEGER = 1
V4L2_CTRL_TYPE_BOOLEAN = 2
V4L2_CTRL_TYPE_MENU = 3
V4L2_CTRL_TYPE_INTEGER_MENU = 9
V4L2_CTRL_FLAG_DISABLED = 0x1
V4L2_CTRL_FLAG_GRABBED = 0x2
V4L2_CTRL_FLAG_READ_ONLY = 0x4
V4L2_CTRL_FLAG_INACTIVE = 0x10
V4L2_CTRL_FLAG_WRITE_ONLY = 0x40
V4L2_CTRL_FLAG_NEXT_CTRL = 0x80000000

V4L2_CID_BRIGHTNESS = 0x00980900
V4L2_CID_HUE = 0x00980903
V4L2_CID_AUTO_WHITE_BALANCE = 0x0098090C
V4L2_CID_RED_BALANCE = 0x0098090E
V4L2_CID_BLUE_BALANCE = 0x0098090F
V4L2_CID_EXPOSURE = 0x00980911
V4L2_CID_AUTOGAIN = 0x00980912
V4L2_CID_GAIN = 0x00980913
V4L2_CID_HUE_AUTO = 0x00980919
V4L2_CID_WHITE_BALANCE_TEMPERATURE = 0x0098091A
V4L2_CID_AUTOBRIGHTNESS = 0x00980920
V4L2_CID_EXPOSURE_AUTO = 0x009A0901
V4L2_CID_EXPOSURE_ABSOLUTE = 0x009A0902
V4L2_CID_FOCUS_ABSOLUTE = 0x009A090A
V4L2_CID_FOCUS_AUTO = 0x009A090C


def fourcc(name: str) -> int:
    """Give the number of a pixel format's four characters, as the macro v4l2_fourcc."""
    return int.from_bytes(name.ljust(4).encode('latin-1'), 'little')


def fourcc_name(number: int) -> str:
    """Give a pixel format's name as v4l2-ctl does, without spaces at its end."""
    big_endian = '-BE' if number >> 31 else ''
    return (number & 0x7FFFFFFF).to_bytes(4, 'little').decode('latin-1').rstrip() + big_endian
