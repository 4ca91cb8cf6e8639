"""The detectors: one file each, and one line here."""

from importlib import import_module
from importlib.metadata import entry_points

from camera_mp.detectors.detector import Detection, Detector, DetectorSettings, Pose
from camera_mp.errors import SettingError
from camera_mp.settings import setting

DETECTORS = {
    'aruco': 'camera_mp.detectors.aruco:ArucoDetector',
    'motion': 'camera_mp.detectors.motion:MotionDetector',
    'people': 'camera_mp.detectors.people:PeopleDetector',
    'yolo': 'camera_mp.detectors.yolo:YoloDetector',
}
GROUP = 'camera_mp.detectors'  # packages of others register theirs here: name = module:Class


def detector_names() -> list[str]:
    """Give the names of our detectors and of those in the entry point group."""
    return sorted({*DETECTORS, *(point.name for point in entry_points(group=GROUP))})


def detector_class(name: str) -> type[Detector]:
    """Give a detector's class by its name, or by module:Class; SettingError if there is none."""
    places = {point.name: point.value for point in entry_points(group=GROUP)} | DETECTORS
    place = places.get(name, name)
    if ':' not in place:
        raise SettingError(f'detector: {name!r} is unknown; allowed: {", ".join(sorted(places))}, '
                           'or module:Class')
    module, _, attribute = place.partition(':')
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise SettingError(f'detector: {name!r} cannot be loaded: {error}') from None
    if not (isinstance(found, type) and issubclass(found, Detector)):
        raise SettingError(f'detector: {name!r} is no subclass of Detector')
    return found


__all__ = ['DETECTORS', 'Detection', 'Detector', 'DetectorSettings', 'Pose', 'detector_class',
           'detector_names', 'setting']
