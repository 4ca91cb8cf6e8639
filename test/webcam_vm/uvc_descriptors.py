"""
What a webcam tells the host about itself when it is plugged in.

Table numbers without a name are those of the USB Device Class Definition for Video Devices 1.1,
those with MJPEG and Uncompressed of its payload documents, USB those of the USB 2.0
specification. The camera says that it is of UVC 1.00, whose structures are the shortest.
"""

from dataclasses import dataclass
import struct

MJPEG, YUYV = 1, 2         # bFormatIndex: our own numbers of the two formats
CAMERA, PROCESSING = 1, 2  # ids of the units that have controls

SIZES = {MJPEG: ((1280, 720), (640, 480)), YUYV: ((640, 480), (320, 240))}
RATES = (30, 15, 10)                                  # Hz, the default first
INTERVALS = [10_000_000 // rate for rate in RATES]    # as UVC counts: in units of 100 ns

_DEVICE, _CONFIGURATION, _STRING, _INTERFACE, _ENDPOINT = 1, 2, 3, 4, 5  # USB table 9-5
_INTERFACE_ASSOCIATION = 11
_CLASS_INTERFACE = 0x24    # CS_INTERFACE, table A-4
_VIDEO = 0x0e              # CC_VIDEO, table A-1
_YUY2_GUID = bytes.fromhex('5955593200001000800000aa00389b71')  # Uncompressed, table 2-1
_ENDPOINT_IN = 0x81


@dataclass(frozen=True)
class Identity:
    """Name and serial number, as the host shows them."""

    product: str
    serial: str


def frame_size(kind: int, index: int) -> int:
    """Give the most bytes of a frame; of YUYV it is exactly that. index counts from 1."""
    width, height = SIZES[kind][index - 1]
    return width * height * 2


def descriptor(kind: int, index: int, identity: Identity) -> bytes:
    """Give a descriptor of the whole device by its number, b'' if there is none."""
    if kind == _DEVICE:  # composite, with the vendor number of the Linux Foundation
        return _pack(_DEVICE, 'HBBBBHHHBBBB', 0x200, 0xef, 2, 1, 64,
                     0x1d6b, 0x0102, 0x100, 1, 2, 3, 1)
    if kind == _CONFIGURATION:
        return _configuration()
    return _string(index, identity) if kind == _STRING else b''


def _string(index: int, identity: Identity) -> bytes:
    texts = {1: 'camera_mp', 2: identity.product, 3: identity.serial}
    languages = struct.pack('<H', 0x409)  # string 0: American English
    text = texts.get(index, '').encode('utf-16-le') if index else languages
    return bytes([2 + len(text), _STRING]) + text


def _configuration() -> bytes:
    # one interface for controls and one for the stream, which has one endpoint
    body = _pack(_INTERFACE_ASSOCIATION, '6B', 0, 2, _VIDEO, 3, 0, 2)
    body += _pack(_INTERFACE, '7B', 0, 0, 0, _VIDEO, 1, 0, 2) + _video_control()
    body += _pack(_INTERFACE, '7B', 1, 0, 1, _VIDEO, 2, 0, 0) + _video_streaming()
    body += _pack(_ENDPOINT, 'BBHB', _ENDPOINT_IN, 2, 512, 0)
    return _pack(_CONFIGURATION, 'HBBBBB', 9 + len(body), 2, 1, 0, 0x80, 250) + body


def _pack(kind: int, layout: str, *values: int | bytes) -> bytes:
    body = struct.pack('<B' + layout, kind, *values)
    return bytes([1 + len(body)]) + body


def _class_specific(subtype: int, layout: str, *values: int | bytes) -> bytes:
    return _pack(_CLASS_INTERFACE, 'B' + layout, subtype, *values)


def _video_control() -> bytes:
    camera = 0b1010                  # bmControls: auto exposure mode, exposure time
    processing = 0b110_0000_0011     # brightness, contrast, gain, power line frequency
    # table 3-6: camera terminal; 3-8: processing unit; 3-5: output terminal; 3-3: header
    units = _class_specific(2, 'BHBBHHHB3s', CAMERA, 0x0201, 0, 0, 0, 0, 0, 3,
                            camera.to_bytes(3, 'little'))
    units += _class_specific(5, 'BBHBHB', PROCESSING, CAMERA, 0, 2, processing, 0)
    units += _class_specific(3, 'BHBBB', 3, 0x0101, 0, PROCESSING, 0)
    return _class_specific(1, 'HHIBB', 0x100, 13 + len(units), 48_000_000, 1, 1) + units


def _video_streaming() -> bytes:
    color = _class_specific(13, 'BBB', 1, 1, 4)  # table 3-18: BT.709, primaries of sRGB, BT.601
    # MJPEG tables 3-1 and 3-2, Uncompressed tables 3-1 and 3-2; 3-14: header
    formats = _class_specific(6, '8B', MJPEG, len(SIZES[MJPEG]), 1, 1, 0, 0, 0, 0)
    formats += _frames(7, MJPEG) + color
    formats += _class_specific(4, 'BB16s6B', YUYV, len(SIZES[YUYV]), _YUY2_GUID, 16, 1, 0, 0, 0, 0)
    formats += _frames(5, YUYV) + color
    return _class_specific(1, 'BH7B2s', 2, 15 + len(formats), _ENDPOINT_IN, 0, 3, 0, 0, 0, 1,
                           bytes(2)) + formats


def _frames(subtype: int, kind: int) -> bytes:
    frames = b''
    for index, (width, height) in enumerate(SIZES[kind], 1):
        size = frame_size(kind, index)
        frames += _class_specific(
            subtype, f'BBHHIIIIB{len(INTERVALS)}I', index, 0, width, height,
            size * 8 * RATES[-1], size * 8 * RATES[0], size, INTERVALS[0], len(INTERVALS),
            *INTERVALS)
    return frames
