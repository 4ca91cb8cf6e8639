"""YOLO models of both layouts give the boxes they were made to give, in both runtimes."""

from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Any

from camera_mp.detectors import Detection, onnx_model
from camera_mp.detectors.letterbox import Letterbox
from camera_mp.detectors.onnx_file import read_onnx
from camera_mp.detectors.yolo import YoloDetector, YoloSettings
from camera_mp.detectors.yolo_output import YoloOutput
from camera_mp.errors import DetectorError
from camera_mp.frame import Pixels
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
import numpy as np
import pytest
from yolo_models import Box, make_model

RED, GREEN, BLUE = 0, 1, 2
NAMES = {0: 'cat', 1: 'dog', 2: 'bird'}
BOXES = (Box(48, 32, 20, 10, 1, RED), Box(50, 32, 20, 10, 1, GREEN), Box(50, 32, 20, 10, 2, BLUE),
         Box(2, 30, 10, 10, 0, BLUE))
LAYOUTS = pytest.mark.parametrize('transposed', [False, True], ids=['v5', 'v8'])


@pytest.fixture(params=['onnxruntime', 'opencv'])
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of the runtime that the detectors of the test use."""
    pytest.importorskip('onnx', reason='makes the models: pip install onnx')
    if request.param == 'opencv':
        monkeypatch.setattr(onnx_model, 'find_spec', lambda name: None)
    else:
        pytest.importorskip('onnxruntime', reason='pip install onnxruntime')
    return str(request.param)


def _detector(path: Path, **values: object) -> YoloDetector:
    return YoloDetector(YoloSettings.from_values({'model': str(path), **values}))


def _picture(width: int, height: int) -> Pixels:
    """Give one whose red is 0.8, green 0.6 and blue 0.4."""
    return np.full((height, width, 3), (102, 153, 204), np.uint8)


@LAYOUTS
def test_known_boxes(runtime: str, transposed: bool, tmp_path: Path) -> None:
    path = make_model(tmp_path / 'm.onnx', BOXES, transposed=transposed,
                      metadata={'names': NAMES})
    found = _detector(path).detect(_picture(192, 128))  # twice the size of the input
    assert [one.class_id for one in found] == ['dog', 'bird', 'cat']  # the worse dog overlaps
    assert [one.score for one in found] == pytest.approx([.8, .4, .4], abs=1e-4)
    assert [one.box for one in found] == [
        pytest.approx(box) for box in ((76, 54, 40, 20), (80, 54, 40, 20), (0, 50, 14, 20))]


@LAYOUTS
def test_the_picture_lies_in_a_gray_letterbox(
        runtime: str, transposed: bool, tmp_path: Path) -> None:
    path = make_model(tmp_path / 'm.onnx', BOXES[:1], transposed=transposed,
                      metadata={'names': NAMES})
    one, = _detector(path).detect(_picture(64, 64))  # 16 columns of gray left and right
    assert one.score == pytest.approx((.8 * 64 + 114 / 255 * 32) / 96, abs=1e-4)
    assert one.box == pytest.approx((22, 27, 20, 10))


def test_objectness_counts(runtime: str, tmp_path: Path) -> None:
    path = make_model(tmp_path / 'm.onnx', BOXES, transposed=False, objectness=.5)
    found = _detector(path, confidence=.3).detect(_picture(96, 64))
    assert [one.class_id for one in found] == ['1']
    assert [one.score for one in found] == pytest.approx([.4], abs=1e-4)


@LAYOUTS
@pytest.mark.parametrize(('iou', 'count'), [(.5, 3), (.9, 4)])
def test_iou_says_which_boxes_are_one(
        runtime: str, transposed: bool, iou: float, count: int, tmp_path: Path) -> None:
    path = make_model(tmp_path / 'm.onnx', BOXES, transposed=transposed)
    assert len(_detector(path, iou=iou).detect(_picture(96, 64))) == count  # 18 of 22 overlap


@LAYOUTS
def test_a_model_of_free_size(runtime: str, transposed: bool, tmp_path: Path) -> None:
    path = make_model(tmp_path / 'm.onnx', BOXES[:1], transposed=transposed, size=None)
    one, = _detector(path, input_size=96).detect(_picture(96, 96))
    assert one.box == pytest.approx((38, 27, 20, 10))
    one, = _detector(path).detect(_picture(1280, 1280))  # brought to 640x640
    assert one.box == pytest.approx((76, 54, 40, 20))


def test_names_from_a_file(runtime: str, tmp_path: Path) -> None:
    path = make_model(tmp_path / 'm.onnx', BOXES[:1], transposed=True, metadata={'names': NAMES})
    (tmp_path / 'names.txt').write_text('Katze\r\nHund\r\nVögel\r\n\r\n', 'utf-8')
    found = _detector(path, class_names=str(tmp_path / 'names.txt')).detect(_picture(96, 64))
    assert [one.class_id for one in found] == ['Hund']


def test_names_tell_the_layouts_of_few_boxes_apart(runtime: str, tmp_path: Path) -> None:
    for transposed in (False, True):
        path = make_model(tmp_path / 'm.onnx', BOXES[:1], transposed=transposed, count=2,
                          metadata={'names': list(NAMES.values())})
        one, = _detector(path).detect(_picture(96, 64))
        assert one.class_id == 'dog'
        assert one.box == pytest.approx((38, 27, 20, 10))


def test_nothing_found_is_an_empty_list(runtime: str, tmp_path: Path) -> None:
    path = make_model(tmp_path / 'm.onnx', [], transposed=True)
    assert _detector(path).detect(_picture(1, 500)) == []


@pytest.mark.parametrize(('model', 'values', 'text'), [
    ({'metadata': {'names': {0: 'a', 1: 'b'}}}, {},
     r'm\.onnx: expected an output \(1, N, 5 \+ C\) of YOLOv5 or \(1, 4 \+ C, N\) of YOLOv8 with '
     r'C = 2 named classes, found \(1, 7, 30\)'),
    ({'count': 4}, {}, r'of YOLOv8, found \(1, 7, 4\)'),
    ({'metadata': {'names': '{0: '}}, {}, 'its class names are no Python dictionary or list'),
    ({'metadata': {'end2end': True}}, {}, 'chooses among its boxes itself; expected one exported'),
    ({'metadata': {'args': {'nms': True}}}, {}, 'with nms=False and end2end=False'),
    ({}, {'input_size': 640}, r'640 is not allowed; allowed: 0, since .*onnx takes 96x64 alone'),
    ({}, {'class_names': '/nowhere'}, 'class_names: /nowhere: No such file or directory'),
    ({}, {'class_names': '/dev/null'}, 'class_names: /dev/null contains no names'),
    ({}, {'class_names': sys.executable}, 'class_names: .* is not a text file'),
    ({}, {'model': '/nowhere'}, 'model: /nowhere: No such file or directory'),
    ({}, {'model': '/'}, 'model: /: Is a directory'),
    ({}, {'model': ''}, "model: '' names nothing; allowed: an ONNX file"),
    ({}, {'model': __file__}, r'model: .*test_detector_yolo\.py is not an ONNX file'),
])
def test_what_does_not_fit_is_one_line(model: dict[str, Any], values: dict[str, object],
                                       text: str, runtime: str, tmp_path: Path) -> None:
    path = make_model(tmp_path / 'm.onnx', BOXES, transposed=True, **model)
    with pytest.raises(DetectorError, match=text) as caught:
        _detector(path, **values)
    assert '\n' not in str(caught.value)


def test_another_network_is_one_line(runtime: str, tmp_path: Path) -> None:
    from onnx import helper, save, TensorProto
    path = tmp_path / 'm.onnx'
    for shape, node, text in (
            ([1, 1, 28, 28], 'Relu', r'expected an input .*, found \(1, 1, 28, 28\)'),
            ([1, 3, 32, 32], 'Relu', r'expected an output .*, found \(1, 3, 32, 32\)'),
            ([1, 3, 32, 32], 'NoSuchOperator', r'm\.onnx cannot be run: .*NoSuchOperator')):
        values = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)] for name in 'io']
        graph = helper.make_graph([helper.make_node(node, ['i'], ['o'])], 'g', values[0],
                                  values[1])
        save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 12)],
                               ir_version=7), path)
        with pytest.raises(DetectorError, match=text) as caught:
            _detector(path)
        assert '\n' not in str(caught.value)


def test_a_truncated_model_is_one_line(runtime: str, tmp_path: Path) -> None:
    whole = make_model(tmp_path / 'm.onnx', BOXES, transposed=True,
                       metadata={'names': NAMES}).read_bytes()
    assert read_onnx(tmp_path / 'm.onnx').metadata == {'names': str(NAMES)}
    graph_end = whole.index(b'B\x04\n\x00\x10\x0c')  # opset_import, the field after the graph
    for length in (1, 5, 100, graph_end - 1, len(whole) - 1):
        (tmp_path / 'm.onnx').write_bytes(whole[:length])
        with pytest.raises(DetectorError, match='is not an ONNX file, or a truncated one'):
            _detector(tmp_path / 'm.onnx')


@pytest.fixture(scope='module')
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip('onnx', reason='makes the models: pip install onnx')
    return make_model(tmp_path_factory.mktemp('onnx') / 'm.onnx', [], transposed=True, count=1,
                      classes=1, metadata={'names': ['a']})


@given(st.binary(max_size=20), st.integers(0, 400), st.integers(1, 30))
@hypothesis_settings(deadline=None, max_examples=300)
def test_any_bytes_are_facts_or_one_line(
        model: Path, rubbish: bytes, place: int, cut: int) -> None:
    data = bytearray(model.read_bytes())
    data[place:place + cut] = rubbish
    broken = model.with_name('broken.onnx')
    broken.write_bytes(data)
    try:
        read_onnx(broken)
    except DetectorError as error:
        assert str(broken) in str(error)


sides = st.integers(1, 2000)


@given(sides, sides, st.integers(32, 1280), st.integers(32, 1280), st.data())
@hypothesis_settings(deadline=None)
def test_a_box_comes_back_from_the_letterbox(
        picture_width: int, picture_height: int, width: int, height: int,
        data: st.DataObject) -> None:
    letterbox = Letterbox(picture_width, picture_height, width, height)
    (left, top), (inner_width, inner_height) = letterbox.corner, letterbox.size
    assert left >= 0 and left + inner_width <= width and abs(2 * left + inner_width - width) <= 1
    assert top >= 0 and top + inner_height <= height and abs(2 * top + inner_height - height) <= 1
    assert inner_width == width or inner_height == height
    x = data.draw(st.floats(0, picture_width))
    y = data.draw(st.floats(0, picture_height))
    inside = (left + x * inner_width / picture_width, top + y * inner_height / picture_height)
    back = letterbox.to_picture(np.array([[*inside, width, height]]))[0].tolist()
    assert back == pytest.approx([x, y, picture_width, picture_height], abs=1e-6)


@pytest.mark.parametrize('size', [(10, 5), (5, 10), (64, 64), (200, 1), (1, 1), (640, 480)])
def test_what_is_drawn_is_the_picture_amid_gray(size: tuple[int, int]) -> None:
    letterbox = Letterbox(*size, 64, 48)
    drawn = letterbox.draw(np.full((size[1], size[0], 3), 7, np.uint8))
    (left, top), (width, height) = letterbox.corner, letterbox.size
    assert drawn.shape == (48, 64, 3)
    assert (drawn[top:top + height, left:left + width] == 7).all()
    assert (drawn == 7).sum() == 3 * width * height
    assert set(np.unique(drawn)) <= {7, 114}


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    both = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def _reference(rows: list[list[float]], transposed: bool, confidence: float,
               iou: float) -> list[tuple[int, float, list[float]]]:
    """Decode one row after the other, as the layouts are described."""
    found = []
    for x, y, width, height, *rest in rows:
        scores = rest if transposed else [rest[0] * score for score in rest[1:]]
        best = max(scores)
        if best >= confidence:
            found.append((scores.index(best), best, [
                x - width / 2, y - height / 2, x + width / 2, y + height / 2]))
    kept: list[tuple[int, float, list[float]]] = []
    for one in sorted(found, key=lambda box: -box[1]):
        if all(one[0] != other[0] or _overlap(one[2], other[2]) <= iou for other in kept):
            kept.append(one)
    return kept


# quarters, and scores that differ, so that float32 gives exactly what plain Python does
lengths = st.integers(1, 200).map(lambda number: number / 4)
rows = st.lists(st.tuples(lengths, lengths, lengths, lengths), max_size=12)


@LAYOUTS
@given(rows, st.integers(1, 4), st.randoms(), st.integers(0, 9), st.integers(0, 10))
@hypothesis_settings(deadline=None)
def test_decoding_is_as_the_layouts_are_described(
        transposed: bool, boxes: list[tuple[float, ...]], classes: int, random: object,
        confidence: int, iou: int) -> None:
    assume(transposed or len(boxes) != 4 + classes)  # that could be either layout
    shuffled = list(range(1, 1 + len(boxes) * classes))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    scores = iter(number / 64 for number in shuffled)
    head = [] if transposed else [.5]
    table = [[*box, *head, *(next(scores) for _ in range(classes))] for box in boxes]
    least, most = confidence / 10 + .001, iou / 10 + .0007
    output = np.array(table, np.float32).reshape(1, len(table), -1 if table else 4 + classes)
    if not table:
        output = np.zeros((1, 0, 4 + len(head) + classes), np.float32)
    if transposed:
        output = output.swapaxes(1, 2)
    edges, best, kinds = YoloOutput([output.shape], classes).decode([output], least, most)
    assert list(zip(kinds.tolist(), best.tolist(), edges.tolist(), strict=True)) == _reference(
        table, transposed, least, most)


def test_what_is_no_number_is_no_box() -> None:
    output = np.ones((1, 4, 6), np.float32)
    output[0, 0, 0], output[0, 1, 5], output[0, 2, 4] = np.inf, np.nan, np.nan
    edges, _, _ = YoloOutput([output.shape], 1).decode([output], .5, .5)
    assert edges.tolist() == [[.5, .5, 1.5, 1.5]]


def test_the_outputs_beside_the_boxes_do_not_matter() -> None:
    beside = np.zeros((1, 3, 80, 80, 6), np.float32)
    output = np.ones((1, 40, 6), np.float32)
    reading = YoloOutput([beside.shape, output.shape], None)
    assert (reading.transposed, reading.classes) == (False, 1)
    assert len(reading.decode([beside, output], .5, .5)[0]) == 1


def test_a_detection_is_of_plain_python_types(runtime: str, tmp_path: Path) -> None:
    path = make_model(tmp_path / 'm.onnx', BOXES[:1], transposed=True)
    one, = _detector(path).detect(_picture(96, 64))
    x, y, width, height = map(float, one.box)
    assert one == Detection('1', float(one.score), (x, y, width, height))
    assert [type(value) for value in (one.score, *one.box)] == [float] * 5
