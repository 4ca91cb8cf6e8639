"""What a user can choose of a recording."""

from dataclasses import dataclass

from camera_mp.settings import setting, Settings

ALL = '*'  # in place of names: every camera of this host's domain, those to come too

# names of x264, fastest first; what another encoder calls them is in encoder.py
PRESETS = ('ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium')


@dataclass(frozen=True)
class RecordingSettings(Settings):
    """Settings of the files."""

    codec: str = setting(
        'auto', "How colour and grey pictures are packed. 'copy': the camera's own JPEGs as they "
        "are; 'auto': those if it gives them, else h264, without an encoder of that mpeg4.",
        choices=('auto', 'h264', 'mpeg4', 'av1', 'copy'))
    quality: int = setting(60, 'Of the picture; 100: the best, in the largest file.',
                           low=1, high=100)
    preset: str = setting('superfast', 'How much work h264 and av1 put into small files.',
                          choices=PRESETS)
    segment_minutes: float = setting(0.0, 'Minutes after which a new file begins; 0.0: never.',
                                     low=0.0, high=1e6)
