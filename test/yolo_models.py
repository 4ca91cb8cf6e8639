"""Small ONNX networks with the outputs of YOLO models: boxes that a test knows beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Box:
    """A box that the network finds; its score is the mean of one channel: 0 red to 2 blue."""

    centre_x: float
    centre_y: float
    width: float
    height: float
    kind: int
    channel: int


def make_model(path: Path, boxes: Sequence[Box], *, transposed: bool, classes: int = 3,
               count: int = 30, objectness: float = 1.0, size: tuple[int, int] | None = (96, 64),
               metadata: dict[str, Any] | None = None) -> Path:
    """Write a model with `count` boxes, empty but for these; size: width and height or free."""
    from onnx import helper, save, TensorProto
    head = 4 if transposed else 5
    constant = np.zeros((count, head + classes), np.float32)
    factor = np.zeros((count, head + classes, 3), np.float32)
    for row, box in enumerate(boxes):
        constant[row, :4] = box.centre_x, box.centre_y, box.width, box.height
        factor[row, head + box.kind, box.channel] = 1
    if not transposed:
        constant[:, 4] = objectness
    else:
        constant, factor = constant.T, factor.swapaxes(0, 1)
    sides = ['height', 'width'] if size is None else [size[1], size[0]]
    graph = helper.make_graph(
        [helper.make_node('GlobalAveragePool', ['images'], ['means']),
         helper.make_node('Conv', ['means', 'factor', 'constant'], ['flat'],
                          kernel_shape=[1, 1]),
         helper.make_node('Reshape', ['flat', 'shape'], ['output0'])],
        'yolo',
        [helper.make_tensor_value_info('images', TensorProto.FLOAT, [1, 3, *sides])],
        [helper.make_tensor_value_info('output0', TensorProto.FLOAT, [1, *constant.shape])],
        [helper.make_tensor('factor', TensorProto.FLOAT, [constant.size, 3, 1, 1],
                            factor.ravel().tolist()),
         helper.make_tensor('constant', TensorProto.FLOAT, [constant.size],
                            constant.ravel().tolist()),
         helper.make_tensor('shape', TensorProto.INT64, [3], [1, *constant.shape])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 12)], ir_version=7)
    helper.set_model_props(model, {key: str(value) for key, value in (metadata or {}).items()})
    save(model, path)
    return path
