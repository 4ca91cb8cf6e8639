"""Pixel format, size and rate of a camera: what is wished, and what the driver makes of it."""

from dataclasses import dataclass

from camera_mp.errors import SourceError
from camera_mp.v4l2.device import Device, PictureFormat
from camera_mp.v4l2.modes import list_modes, Mode, same_rate
from camera_mp.v4l2.pixels import UNCOMPRESSED

COMPRESSED = ('MJPG', 'JPEG')
PIXEL_FORMATS = (*COMPRESSED, *UNCOMPRESSED)


@dataclass(frozen=True)
class Agreement:
    """
    What the driver works in from now on.

    framerate: in Hz, 0.0 if unknown. differences: a line for each wish that was not met.
    """

    picture: PictureFormat
    framerate: float
    differences: tuple[str, ...]


def negotiate(device: Device, fourcc: str, width: int, height: int,
              framerate: float) -> Agreement:
    """
    Tell the driver what is wished, '' and 0 for anything, and see what it makes of that.

    Raises SourceError if the camera does not have the pixel format, or none of ours.
    """
    modes, now = list_modes(device), device.format()
    size = width or now.width, height or now.height
    chosen = _choose(modes, fourcc, *size, framerate)
    picture = device.set_format(chosen, *size)
    if picture.fourcc not in PIXEL_FORMATS:
        raise SourceError(f'pixel_format: the camera sends {picture.fourcc} instead of {chosen}; '
                          f'allowed: {", ".join(PIXEL_FORMATS)}')
    actual = device.set_framerate(framerate) if framerate else device.framerate()
    differences = []
    if picture.fourcc != chosen:
        differences.append(f'pixel_format: {chosen} asked, {picture.fourcc} given; offered: '
                           f'{", ".join(mode.fourcc for mode in modes)}')
    if (width or picture.width, height or picture.height) != (picture.width, picture.height):
        differences.append(f'size: {width}x{height} asked, {picture.width}x{picture.height} '
                           f'given; offered as {picture.fourcc}: {_sizes(modes, picture)}')
    if framerate and not same_rate(framerate, actual):
        given = f'{actual:.4g} Hz' if actual else 'an unknown rate'
        differences.append(
            f'framerate: {framerate:g} Hz asked, {given} given; offered at '
            f'{picture.width}x{picture.height} {picture.fourcc}: {_rates(modes, picture)}')
    return Agreement(picture, actual, tuple(differences))


def _choose(modes: tuple[Mode, ...], fourcc: str, width: int, height: int,
            framerate: float) -> str:
    """Give the wanted pixel format, or the best that there is."""
    there = {mode.fourcc: mode for mode in modes}
    if fourcc in there:
        return fourcc
    usable = [each for each in (*UNCOMPRESSED, *COMPRESSED) if each in there]
    if fourcc or not usable:
        raise SourceError(f'pixel_format: the camera has no {fourcc or "usable one"}; allowed: '
                          f'{", ".join(there) or "none"}')
    fitting = [each for each in usable if there[each].offers(width, height, framerate)]
    return (fitting or usable)[0]


def _sizes(modes: tuple[Mode, ...], picture: PictureFormat) -> str:
    return ', '.join(str(size) for mode in modes if mode.fourcc == picture.fourcc
                     for size in mode.sizes) or 'unknown'


def _rates(modes: tuple[Mode, ...], picture: PictureFormat) -> str:
    return ', '.join(size.rates_text() for mode in modes if mode.fourcc == picture.fourcc
                     for size in mode.sizes if size.has(picture.width, picture.height)
                     ) or 'unknown'
