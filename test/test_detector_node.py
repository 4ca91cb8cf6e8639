"""The detector node with real rclpy and Fast DDS: from rings and topics to topics."""

from array import array
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
import os
from pathlib import Path
import time
from typing import Any

from camera_mp import FrameFormat, FrameWriter, SettingError
from camera_mp.conversion import converted, CONVERTIBLE
from camera_mp.detector_results import Result
from camera_mp.detectors import Detection, Pose
from camera_mp.frame import Frame, Pixels
from camera_mp.ring.file import ring_path
import numpy as np
from programs import PATIENCE, Program, ROOT, run, running, wait_for_end
import pytest

rclpy = pytest.importorskip('rclpy', reason='the nodes need rclpy')

from camera_mp.nodes.detections_message import detections_message  # noqa: E402, I100
from camera_mp.nodes.image_array import image_array  # noqa: E402, I100
from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402, I100
from rclpy.qos import ReliabilityPolicy  # noqa: E402, I100
from ros_client import RosClient  # noqa: E402, I100
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402, I100

HEIGHT, WIDTH = 48, 64
BLUE, GREEN, RED, GREY = 40, 80, 120, 77
COLORED = ('bgr8', 'rgb8', 'bgra8', 'rgba8', 'bayer_rggb8', 'bayer_bggr8', 'bayer_gbrg8',
           'bayer_grbg8')
TOPIC_ENCODINGS = [encoding for encoding in CONVERTIBLE if encoding != 'jpeg']
BGR = FrameFormat(HEIGHT, WIDTH, 'bgr8')


def pixels(encoding: str) -> Pixels:
    """Give a picture of one colour, or grey."""
    form = FrameFormat(HEIGHT, WIDTH, encoding)
    image = np.zeros(form.shape, form.dtype)
    values = {'r': RED, 'g': GREEN, 'b': BLUE, 'a': 255}
    if encoding.startswith('bayer'):
        for place, letter in enumerate(encoding[6:10]):
            image[place // 2::2, place % 2::2] = values[letter]
    elif encoding in COLORED:
        image[:] = [values[letter] for letter in encoding[:-1]]
    elif encoding == 'yuv422_yuy2':
        image[..., 0], image[..., 1] = round(GREY * 219 / 255 + 16), 128  # ITU-R BT.601
    else:
        image[:] = GREY * (257 if encoding == 'mono16' else 1)
    return image


def message(encoding: str, padding: int = 0) -> Any:
    image = pixels(encoding)
    rows = np.ascontiguousarray(image).view(np.uint8).reshape(HEIGHT, -1)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    result = Image(height=HEIGHT, width=WIDTH, encoding=encoding, step=rows.shape[1])
    result.header.frame_id = 'lens'
    result.data.frombytes(rows.tobytes())
    return result


class Graph(RosClient):
    """What a domain's topics say, and a voice in it."""

    def __init__(self, domain: int) -> None:
        super().__init__(domain)
        self._values: dict[str, str] = {}
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self._values = {value.key: value.value for value in message.status[0].values}

    def listen(self, kind: Any, topic: str) -> list[Any]:
        seen: list[Any] = []
        self.node.create_subscription(kind, topic, seen.append, 10)
        return seen

    def wait(self, condition: Callable[[], object], act: Callable[[], object] = bool) -> None:
        """Wait for something, and do something again and again meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f'never came true; diagnostics: {self._values}'
            act()
            self.executor.spin_once(0.03)

    def count(self, name: str) -> int:
        return int(self._values.get(name, 0))


@pytest.fixture
def graph(ros_domain: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(ROOT), str(Path(__file__).parent)]))
    graph = Graph(ros_domain)
    yield graph
    graph.close()


def words(namespace: str, kind: str, **values: object) -> list[str]:
    if kind:
        values['detector'] = f'pool_detectors:{kind}'
    given = [word for name, value in values.items() for word in ('-p', f'{name}:={value}')]
    return ['-m', 'camera_mp.nodes.detector', '--ros-args', '-r', f'__ns:={namespace}', *given]


def write(writer: FrameWriter) -> Callable[[], None]:
    image = pixels('bgr8')
    return lambda: writer.write(image, stamp_ns=1_000_000_007)


def test_a_ring_becomes_drawn_images_and_diagnostics(graph: Graph, ring_name: str) -> None:
    images = graph.listen(Image, f'/{ring_name}/image_annotated')
    with FrameWriter(ring_name, BGR) as writer, running(
            *words(f'/{ring_name}', 'Trace', workers=2, longest=0.001)) as node:
        graph.wait(lambda: images, write(writer))
        image = images[0]
        assert (image.encoding, image.height, image.width, image.header.frame_id) == (
            'bgr8', HEIGHT, WIDTH, f'{ring_name}_optical_frame')
        assert (image.header.stamp.sec, image.header.stamp.nanosec) == (1, 7)
        picture = np.frombuffer(image.data, np.uint8).reshape(HEIGHT, WIDTH, 3)
        assert tuple(picture[0, 0]) == (0, 255, 0)
        assert tuple(picture[HEIGHT // 2, WIDTH // 2]) == (BLUE, GREEN, RED)
        graph.wait(lambda: graph.count('processed') and graph.count('workers alive') == 2,
                   write(writer))
        assert (graph.count('lost'), graph.count('errors'), graph.count('restarts')) == (0, 0, 0)
        assert ('vision_msgs is not installed' in node.text) == (find_spec('vision_msgs') is None)
        workers = children(node)
        assert node.end() == 0
    wait_for_end(*workers)


def children(program: Program) -> list[int]:
    pid = program.process.pid
    tasks = Path(f'/proc/{pid}/task').iterdir()
    return [int(child) for task in tasks for child in (task / 'children').read_text().split()]


def test_images_of_a_topic_in_every_encoding(graph: Graph, ring_name: str) -> None:
    images = graph.listen(Image, f'/{ring_name}/detector_any/image_annotated')
    publisher = graph.node.create_publisher(Image, '/driver/image', 1)
    with running(*words(f'/{ring_name}', 'Trace', image_topic='/driver/image'),
                 '-r', '__node:=detector_any') as node:
        for number, encoding in enumerate(TOPIC_ENCODINGS):
            sent = message(encoding, padding=4)
            sent.header.stamp.sec = number + 1

            def arrived(second: int = number + 1) -> list[Any]:
                return [image for image in images if image.header.stamp.sec == second]
            graph.wait(arrived, partial(publisher.publish, sent))
            image = arrived()[0]
            assert image.header.frame_id == 'lens'
            wanted = (BLUE, GREEN, RED) if encoding in COLORED else (GREY,) * 3
            picture = np.frombuffer(image.data, np.uint8).reshape(HEIGHT, WIDTH, 3)
            assert np.abs(picture[HEIGHT // 2, WIDTH // 2] - np.array(wanted)).max() <= 2, encoding
        assert ring_path(f'{ring_name}.detector_any.input').exists()
        assert node.end() == 0
    assert not ring_path(f'{ring_name}.detector_any.input').exists()


@pytest.mark.parametrize(('rules', 'reliability'), [
    ([], ReliabilityPolicy.BEST_EFFORT),
    (['-p', 'qos_overrides./driver/image.subscription.reliability:=reliable'],
     ReliabilityPolicy.RELIABLE)])
def test_images_are_taken_as_parameters_say(graph: Graph, ring_name: str, rules: list[str],
                                            reliability: ReliabilityPolicy) -> None:
    with running(*words(f'/{ring_name}', 'Trace', image_topic='/driver/image'), *rules):
        def found() -> list[Any]:
            return graph.node.get_subscriptions_info_by_topic('/driver/image')
        graph.wait(found)
        assert [one.qos_profile.reliability for one in found()] == [reliability]


def test_images_that_are_none_are_refused_and_counted(graph: Graph, ring_name: str) -> None:
    publisher = graph.node.create_publisher(Image, f'/{ring_name}/image', 1)
    short = message('mono8')
    short.step = 3
    with running(*words(f'/{ring_name}', 'Trace', image_topic='image')) as node:
        graph.wait(lambda: graph.count('images refused'), lambda: publisher.publish(short))
        node.wait_for('image: step: 3 is impossible for 64x48 mono8; expected 64 or more')
        graph.wait(lambda: graph.count('processed'), lambda: publisher.publish(message('mono8')))
        assert node.end() == 0


def test_the_calibration_reaches_the_workers(graph: Graph, ring_name: str) -> None:
    publisher = graph.node.create_publisher(CameraInfo, f'/{ring_name}/camera_info', 1)
    info = CameraInfo(height=HEIGHT, width=WIDTH, d=[0.5])
    with FrameWriter(ring_name, BGR) as writer, running(
            *words(f'/{ring_name}', 'Calibrated')) as node:
        def act() -> None:
            publisher.publish(info)
            writer.write(pixels('bgr8'))
        graph.wait(lambda: graph.count('processed') > 1, act)
        assert 'focal' not in node.text
        info.k[0] = 250.0
        graph.wait(lambda: graph.count('errors'), act)
        node.wait_for('focal length 250.0, (0.5,)')


def test_two_detectors_of_a_camera_have_topics_of_their_own(graph: Graph, ring_name: str) -> None:
    def topics() -> set[str]:
        return {name for name, _ in graph.node.get_topic_names_and_types()
                if name.endswith('image_annotated')}
    plain = words(f'/{ring_name}', 'Trace')
    other = [*plain, '-r', '__node:=detector_other']
    alone = [*words('/', 'Trace', camera=ring_name), '-r', f'__node:={ring_name}']
    with running(*plain), running(*other), running(*alone):
        graph.wait(lambda: topics() == {
            f'/{ring_name}/image_annotated', f'/{ring_name}/detector_other/image_annotated'})


def test_a_killed_node_takes_its_workers_along(graph: Graph, ring_name: str) -> None:
    with FrameWriter(ring_name, BGR) as writer, running(
            *words(f'/{ring_name}', 'Trace', workers=2)) as node:
        graph.wait(lambda: graph.count('workers alive') == 2 and graph.count('processed'),
                   write(writer))
        workers = children(node)
        assert len(workers) == 2
        node.process.kill()
        wait_for_end(*workers)


@pytest.mark.parametrize(('detector', 'values', 'text'), [
    ('', {}, "detector: '' is unknown; allowed: "),
    ('', {'detector': 'cats'}, "detector: 'cats' is unknown; allowed: "),
    ('Trace', {'workers': 0}, 'workers: 0 is not allowed; allowed: 1 to 64'),
    ('Trace', {'longst': 1.0}, 'longst: no such parameter; did you mean longest?'),
    ('Trace', {'longest': 1}, 'longest: 1 is of type integer; write 1.0'),
    ('Trace', {'camera': 'a', 'image_topic': '/b'}, 'allowed: one of them'),
    ('Trace', {'image_topic': "'a b'"}, "image_topic: 'a b' is no name of a topic"),
    ('Remembering', {'workers': 2}, 'workers: 2 is not allowed with'),
    ('Impossible', {}, 'model: /nowhere.onnx does not exist'),
])
def test_bad_input_is_one_line_and_a_code(graph: Graph, ring_name: str, detector: str,
                                          values: dict[str, object], text: str) -> None:
    program = run(*words(f'/{ring_name}', detector, **values))
    assert program.process.returncode == (1 if 'nowhere' in text else 2)
    errors = [line for line in program.lines if '[INFO]' not in line and '[WARN]' not in line]
    assert len(errors) == 1
    assert errors[0].startswith(f'/{ring_name}/detector: ')
    assert text in errors[0]


def test_outside_a_namespace_the_camera_must_be_named(graph: Graph) -> None:
    program = run(*words('/', 'Trace'))
    assert program.process.returncode == 2
    assert "/detector: camera: '' is not allowed outside a namespace" in program.lines[-1]


@pytest.mark.parametrize('encoding', TOPIC_ENCODINGS)
@pytest.mark.parametrize('padding', [0, 6])
def test_an_image_is_seen_as_it_is(encoding: str, padding: int) -> None:
    form, image = image_array(message(encoding, padding))
    assert form == FrameFormat(HEIGHT, WIDTH, encoding)
    assert np.array_equal(image, pixels(encoding))
    assert converted(Frame(image, form, 0, 0, 1), 'mono8').shape == (HEIGHT, WIDTH)


def test_big_endian_images_are_turned() -> None:
    given = message('mono16')
    given.is_bigendian = True
    given.data = array('B', pixels('mono16').astype('>u2').tobytes())
    assert np.array_equal(image_array(given)[1], pixels('mono16'))


@pytest.mark.parametrize(('changes', 'text'), [
    ({'step': 63}, 'step: 63 is impossible for 64x48 mono8; expected 64 or more'),
    ({'step': 70}, r'data: 3072 bytes; expected 70 x 48 = 3360'),
    ({'height': 47}, r'data: 3072 bytes; expected 64 x 47 = 3008'),
    ({'height': 0}, 'size: 64x0 is impossible'),
])
def test_an_image_that_does_not_fit_itself_is_refused(changes: dict[str, int], text: str) -> None:
    given = message('mono8')
    for name, value in changes.items():
        setattr(given, name, value)
    with pytest.raises(SettingError, match=text):
        image_array(given)


@pytest.mark.skipif(find_spec('cv_bridge') is not None, reason='cv_bridge is installed')
def test_an_encoding_that_needs_cv_bridge_says_so() -> None:
    given = message('mono8')
    given.encoding = 'nv21'
    with pytest.raises(SettingError, match=r"'nv21' cannot be read without cv_bridge \(apt"):
        image_array(given)


def test_cv_bridge_reads_what_we_do_not() -> None:
    pytest.importorskip('cv_bridge', reason='cv_bridge is not on PyPI')
    given = message('mono16')
    given.encoding = 'bayer_rggb16'
    form, image = image_array(given)
    assert (form, image.shape) == (BGR, (HEIGHT, WIDTH, 3))


def test_detections_as_vision_msgs() -> None:
    pytest.importorskip('vision_msgs', reason='vision_msgs is not on PyPI')
    found = Detection('7', 0.75, (10.0, 20.0, 30.0, 40.0), (), Pose((1.0, 2.0, 3.0), (0, 0, 1, 0)))
    message = detections_message(Result(5, 3_000_000_004, 9, 640, 480, (found,), 0.1, 0.1), 'lens')
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (3, 4)
    one, = message.detections
    assert one.header == message.header
    assert (one.bbox.center.position.x, one.bbox.center.position.y) == (25.0, 40.0)
    assert (one.bbox.size_x, one.bbox.size_y) == (30.0, 40.0)
    hypothesis, = one.results
    assert (hypothesis.hypothesis.class_id, hypothesis.hypothesis.score) == ('7', 0.75)
    assert hypothesis.pose.pose.position.z == 3.0
    assert hypothesis.pose.pose.orientation.z == 1.0


def test_the_nodes_detections_arrive(graph: Graph, ring_name: str) -> None:
    messages = pytest.importorskip('vision_msgs.msg', reason='vision_msgs is not on PyPI')
    seen = graph.listen(messages.Detection2DArray, f'/{ring_name}/detections')
    with FrameWriter(ring_name, BGR) as writer, running(*words(f'/{ring_name}', 'Trace')):
        graph.wait(lambda: seen, write(writer))
    assert (seen[0].header.frame_id, seen[0].header.stamp.nanosec) == (
        f'{ring_name}_optical_frame', 7)
    assert seen[0].detections[0].bbox.size_x == WIDTH
