"""An ONNX model that runs: in onnxruntime if that is installed, else in OpenCV."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from camera_mp.errors import DetectorError
from camera_mp.frame import Pixels
import cv2

Run = Callable[[Pixels], list[Pixels]]  # (1, channels, height, width) float32 to the outputs

# those that need no minutes to get ready, as TensorRT does, the fastest first
_PROVIDERS = ('CUDAExecutionProvider', 'MIGraphXExecutionProvider', 'ROCMExecutionProvider',
              'CPUExecutionProvider')
_FATAL = 4  # onnxruntime's logging level; its errors come as exceptions


def load(path: Path) -> Run:
    """Make a model ready to run; its errors, also those of a run, are DetectorErrors."""
    with _refusal(path):
        run = _in_onnxruntime(path) if find_spec('onnxruntime') else _in_opencv(path)

    def run_or_refuse(picture: Pixels) -> list[Pixels]:
        with _refusal(path):
            return run(picture)
    return run_or_refuse


def _in_onnxruntime(path: Path) -> Run:
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # workers are the parallelism
    options.log_severity_level = _FATAL
    available = onnxruntime.get_available_providers()
    session = onnxruntime.InferenceSession(
        str(path), options, [name for name in _PROVIDERS if name in available])
    name = session.get_inputs()[0].name
    return lambda picture: session.run(None, {name: picture})


def _in_opencv(path: Path) -> Run:
    net = cv2.dnn.readNetFromONNX(str(path))
    names = net.getUnconnectedOutLayersNames()

    def run(picture: Pixels) -> list[Pixels]:
        net.setInput(picture)
        return list(net.forward(names))
    return run


@contextmanager
def _refusal(path: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # those of onnxruntime have no common base
        what = ' '.join(str(error).split())
        raise DetectorError(f'model: {path} cannot be run: {what}') from None
