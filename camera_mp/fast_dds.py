"""
Lets Fast DDS carry whole images in shared memory, and clears away what killed processes left.

Other middlewares (RMW_IMPLEMENTATION) are left alone.
"""

import fcntl
from importlib.metadata import PackageNotFoundError, version
import os
from pathlib import Path
import re
import sys
import time
from xml.etree import ElementTree

from camera_mp.errors import SettingError
from camera_mp.heap import keep_large_blocks

# of Fast DDS 3 (Kilted and later), which warns of the older one, and of 2 (Jazzy)
VARIABLES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
_FIRST_RCLPY_OF_KILTED = 9
SHARED_MEMORY = Path('/dev/shm')
SEGMENT = 64 << 20      # bytes, of the shipped profile
_OVERHEAD = 6 << 20     # seen beside the segment itself
_SEGMENT_LOCK = re.compile(r'fast(dds|rtps)_[0-9a-f]{16}_[es]l')
_SETTLED = 10.0         # seconds; a younger file's owner may not have locked it yet


def tune_for_images(*, publisher: bool = False) -> str:
    """
    Make this process fit for large images; call it before rclpy.init, in nodes of your own too.

    It keeps freed memory for the next image and, in a publisher, makes the shipped profile the
    default one. A profile that the user has set is left alone.
    Gives one line for the user, or '' if there is nothing to say. Raises SettingError if the
    user's profile cannot be read.
    """
    keep_large_blocks()
    middleware = os.environ.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    if publisher and middleware.startswith('rmw_fastrtps'):
        for variable in VARIABLES:
            if os.environ.get(variable):
                return _judge(variable, os.environ[variable])
        return _use(shared_file('config/fastdds.xml'))
    return ''


def _use(profile: Path) -> str:
    needed, free = _segment_size(profile) + _OVERHEAD, _free()
    if free >= needed:
        _set(str(profile))
        return ''
    text = f'{SHARED_MEMORY} has {free >> 20} MiB free and images need {needed >> 20} MiB'
    size = 1 << max((free - _OVERHEAD) // 2, 1).bit_length() - 1
    if size < 4 << 20:
        return f'{text}: Fast DDS runs with its own small segment (docker run --shm-size=1g)'
    _set(_smaller(profile, size))
    return f'{text}: Fast DDS runs with a segment of {size >> 20} MiB (docker run --shm-size=1g)'


def _set(profile: str) -> None:
    try:
        major = int(version('rclpy').partition('.')[0])
    except PackageNotFoundError:
        major = _FIRST_RCLPY_OF_KILTED
    os.environ[VARIABLES[major < _FIRST_RCLPY_OF_KILTED]] = profile


def _smaller(profile: Path, size: int) -> str:
    """Give the path of the same profile with a smaller segment, in a file of no name."""
    text = profile.read_text()
    for tag, value in (('segment_size', size), ('maxMessageSize', size // 2)):
        text = re.sub(rf'<{tag}>\d+<', f'<{tag}>{value}<', text)
    fd = os.memfd_create('camera_mp_fastdds')
    os.write(fd, text.encode())
    return f'/proc/{os.getpid()}/fd/{fd}'


def _judge(variable: str, given: str) -> str:
    if not Path(given).is_file():
        raise SettingError(f'{variable}: {given} does not exist; allowed: an XML file, or unset')
    size = _segment_size(Path(given))
    if size < SEGMENT:
        return (f'{variable}={given} is used as it is; its shared-memory segment of '
                f'{size >> 10} KiB is small for images, camera_mp uses 64 MiB')
    return f'{variable}={given} is used as it is'


def _segment_size(profile: Path) -> int:
    """Give the bytes of the largest segment that a profile asks for; 0: Fast DDS's own size."""
    try:
        tree = ElementTree.parse(profile)
    except ElementTree.ParseError as error:
        raise SettingError(f'Fast DDS profile: {profile} is no XML: {error}') from None
    sizes = [element.text or '' for element in tree.iter()
             if element.tag.rpartition('}')[2] == 'segment_size']
    return max((int(size) for size in sizes if size.strip().isdecimal()), default=0)


def _free() -> int:
    state = os.statvfs(SHARED_MEMORY)
    return state.f_bavail * state.f_frsize


def shared_file(name: str) -> Path:
    """Give the path of a file that ships with the package, as config/fastdds.xml."""
    source = Path(__file__).resolve().parent.parent
    prefixes = [*filter(None, os.environ.get('AMENT_PREFIX_PATH', '').split(':')), sys.prefix]
    places = [source / name] * (source / 'package.xml').exists()
    places += [Path(prefix) / 'share' / 'camera_mp' / name for prefix in prefixes]
    for place in places:
        if place.exists():
            return place
    raise SettingError(f'{name} is not where it was installed; looked at '
                       f'{", ".join(map(str, places))}')


def remove_dead_segments() -> list[Path]:
    """
    Remove the shared-memory segments of this user's Fast DDS participants that are dead.

    The owner of a segment holds flock on a file beside it for life, as `fastdds shm clean`
    knows too. Ports are not touched: they are small, and the next participant takes them over.
    """
    removed = []
    for lock in SHARED_MEMORY.glob('fast*'):
        if _SEGMENT_LOCK.fullmatch(lock.name) and _is_dead(lock):
            for path in (lock.with_name(lock.name[:-3]), lock):
                path.unlink(missing_ok=True)
                removed.append(path)
    return removed


def _is_dead(lock: Path) -> bool:
    try:
        state = lock.stat(follow_symlinks=False)
        if state.st_uid != os.geteuid() or time.time() - state.st_mtime < _SETTLED:
            return False
        with lock.open('rb') as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False  # cleared by somebody else, or alive
    return True
