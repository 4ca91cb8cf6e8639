"""A YOLO model that the user brings as an ONNX file."""

from ast import literal_eval
from dataclasses import dataclass
from pathlib import Path

from camera_mp.calibration import Calibration
from camera_mp.detectors.detector import Detection, Detector, DetectorSettings
from camera_mp.detectors.letterbox import Letterbox
from camera_mp.detectors.onnx_file import OnnxFacts, read_onnx
from camera_mp.detectors.onnx_model import load
from camera_mp.detectors.yolo_output import YoloOutput
from camera_mp.errors import DetectorError
from camera_mp.frame import Pixels
from camera_mp.settings import setting
import cv2
import numpy as np

_USUAL_SIDE = 640  # pixels: what YOLO models are trained with


@dataclass(frozen=True)
class YoloSettings(DetectorSettings):
    """Settings of the YOLO detector; the defaults of confidence and iou are Ultralytics'."""

    model: str = setting('', 'ONNX file of a YOLOv5 or YOLOv8 model, as Ultralytics exports it.')
    class_names: str = setting('', 'Text file with the name of a class in each line; empty: '
                               'as the model says, else numbers.')
    input_size: int = setting(0, 'Side of the square that pictures are brought to, in pixels; '
                              f'0: as the model says, {_USUAL_SIDE} if it takes any.',
                              low=0, high=8192)
    confidence: float = setting(0.25, 'Least score.', low=0.0, high=1.0)
    iou: float = setting(0.7, 'Overlap from which on two boxes of a class are one thing: area '
                         'of the intersection by that of the union.', low=0.0, high=1.0)


class YoloDetector(Detector):
    """Finds what a model was trained for."""

    Settings = YoloSettings

    def __init__(self, settings: YoloSettings) -> None:
        self._settings = settings
        if not settings.model:
            raise DetectorError("model: '' names nothing; allowed: an ONNX file")
        path = Path(settings.model).expanduser()
        facts = read_onnx(path)
        _check_export(facts, path)
        self._width, self._height = _input_size(facts, settings)
        names = _names(facts, settings)
        self._run = load(path)
        outputs = self._run(np.zeros((1, 3, self._height, self._width), np.float32))
        try:
            self._output = YoloOutput([output.shape for output in outputs], len(names) or None)
        except DetectorError as error:
            raise DetectorError(f'model: {path}: {error}') from None
        self._names = names or [str(number) for number in range(self._output.classes)]

    def detect(self, image: Pixels, calibration: Calibration | None = None) -> list[Detection]:
        """Give what is in a (height, width, 3) picture, the surest first."""
        letterbox = Letterbox(image.shape[1], image.shape[0], self._width, self._height)
        outputs = self._run(cv2.dnn.blobFromImage(letterbox.draw(image), 1 / 255, swapRB=True))
        edges, scores, kinds = self._output.decode(
            outputs, self._settings.confidence, self._settings.iou)
        return [Detection(self._names[kind], score, (left, top, right - left, bottom - top))
                for (left, top, right, bottom), score, kind in zip(
                    letterbox.to_picture(edges).tolist(), scores.tolist(), kinds.tolist(),
                    strict=True)]


def _check_export(facts: OnnxFacts, path: Path) -> None:
    # such an output of one class looks like one of YOLOv5
    if facts.metadata.get('end2end') == 'True' or "'nms': True" in facts.metadata.get('args', ''):
        raise DetectorError(f'model: {path} chooses among its boxes itself; expected one exported '
                            'with nms=False and end2end=False')


def _input_size(facts: OnnxFacts, settings: YoloSettings) -> tuple[int, int]:
    """Give width and height."""
    if len(facts.shape) != 4 or facts.shape[0] > 1 or facts.shape[1] not in (0, 3):
        raise DetectorError(f'model: {settings.model}: expected an input (1, 3, height, width), '
                            f'found {facts.shape}')
    wanted = settings.input_size
    height, width = (side or wanted or _USUAL_SIDE for side in facts.shape[2:])
    if wanted and (width, height) != (wanted, wanted):
        raise DetectorError(f'input_size: {wanted} is not allowed; allowed: 0, since '
                            f'{settings.model} takes {width}x{height} alone')
    return width, height


def _names(facts: OnnxFacts, settings: YoloSettings) -> list[str]:
    """Give the names of the classes from the file or the model; none if neither has them."""
    if settings.class_names:
        return _read_names(Path(settings.class_names).expanduser())
    try:
        names = literal_eval(facts.metadata.get('names', '[]'))
        if isinstance(names, dict):  # older exports have a list
            names = [names[number] for number in sorted(names)]
        return [str(name) for name in names]
    except (SyntaxError, TypeError, ValueError):
        raise DetectorError(f'model: {settings.model}: its class names are no Python dictionary '
                            'or list; set class_names') from None


def _read_names(path: Path) -> list[str]:
    try:
        names = path.read_text('utf-8').split('\n')
    except OSError as error:
        raise DetectorError(f'class_names: {path}: {error.strerror}') from None
    except UnicodeDecodeError:
        raise DetectorError(f'class_names: {path} is not a text file') from None
    names = [name.strip() for name in names if name.strip()]
    if not names:
        raise DetectorError(f'class_names: {path} contains no names')
    return names
