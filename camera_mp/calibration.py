"""The calibration of a camera: what sensor_msgs/CameraInfo says, without ROS."""

from dataclasses import dataclass, field
import math

from camera_mp.errors import SettingError

# names in the calibrators' files
SIZES = {'width': 'image_width', 'height': 'image_height'}
MATRICES = {'k': 'camera_matrix', 'd': 'distortion_coefficients', 'r': 'rectification_matrix',
            'p': 'projection_matrix'}

_SHAPES = {'k': (3, 3), 'r': (3, 3), 'p': (3, 4)}


@dataclass(frozen=True)
class Calibration:
    """
    Intrinsics of a camera for one size of picture, with the names of sensor_msgs/CameraInfo.

    k, r: 3x3 and p: 3x4, in rows; pixels. d: distortion coefficients in the model's order.
    text: the file it was read from, so that it is written back as it was.
    Making one with a size, a count or a number that cannot be raises SettingError.
    """

    width: int
    height: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    camera_name: str = ''
    text: str = field(default='', compare=False, repr=False)

    def __post_init__(self) -> None:
        """Check sizes, counts and numbers."""
        for name, key in SIZES.items():
            if not 0 < getattr(self, name) <= 65535:
                raise SettingError(
                    f'{key}: {getattr(self, name)} is not allowed; allowed: 1 to 65535')
        for name, (rows, columns) in _SHAPES.items():
            count = len(getattr(self, name))
            if count != rows * columns:
                raise SettingError(f'{MATRICES[name]}: {count} numbers; '
                                   f'allowed: {rows * columns}, {rows} rows of {columns}')
        for name, key in MATRICES.items():
            for number in getattr(self, name):
                if not math.isfinite(number):
                    raise SettingError(f'{key}: {number} is not allowed; allowed: finite numbers')
