"""With use_sim_time and no clock at all a camera goes on: images, stamps, diagnostics."""

import time

from image_subscriber import __file__ as SUBSCRIBER
from programs import running
import pytest
from test_camera_node import _images, _parameters, CAMERA
from test_diagnostics import _Listener

pytest.importorskip('rclpy', reason='the nodes need rclpy')


def test_stamps_are_the_time_of_capture_and_diagnostics_tick(ros_domain: int,
                                                             ring_name: str) -> None:
    before = time.time_ns()
    listener = _Listener(ros_domain)
    try:
        with running(SUBSCRIBER, f'/{ring_name}/image_raw', 1) as subscriber, running(
                *CAMERA, '-r', f'__ns:=/{ring_name}', *_parameters(use_sim_time='true')) as camera:
            stamp = int(str(_images(subscriber, 1)[0]['stamp_ns']))
            assert before < stamp < time.time_ns()
            listener.wait_for('streaming')
            assert camera.end() == 0
    finally:
        listener.close()
