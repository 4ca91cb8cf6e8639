"""The sources of frames: one file each, and one line here."""

from importlib import import_module

from camera_mp.errors import SettingError
from camera_mp.sources.source import CaptureSettings, Source

SOURCES = {
    'screen': 'camera_mp.sources.screen:ScreenSource',
    'synthetic': 'camera_mp.sources.synthetic:SyntheticSource',
    'v4l2': 'camera_mp.sources.v4l2:V4L2Source',
    'video': 'camera_mp.sources.video:VideoSource',
}


def source_class(name: str) -> type[Source]:
    """Give the class of a source by its name; SettingError if there is none."""
    if name not in SOURCES:
        raise SettingError(f'source: {name!r} is unknown; allowed: {", ".join(SOURCES)}')
    module, _, attribute = SOURCES[name].partition(':')
    found: type[Source] = getattr(import_module(module), attribute)
    return found


__all__ = ['SOURCES', 'CaptureSettings', 'Source', 'source_class']
