"""Everything under the launch file, as launch_testing runs and ends it; on a ROS install."""

import os
from pathlib import Path
import shutil
import tempfile
from typing import Any
import unittest

from camera_mp.ring.file import list_rings
from programs import ROOT
import pytest

pytest.importorskip('launch_testing', reason='it comes with a ROS install')

from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402, I100
from launch import LaunchDescription  # noqa: E402, I100
from launch.actions import IncludeLaunchDescription, SetEnvironmentVariable  # noqa: E402, I100
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402, I100
from launch_testing import parametrize, post_shutdown_test  # noqa: E402, I100
from launch_testing.actions import ReadyToTest  # noqa: E402, I100
from launch_testing.asserts import assertExitCodes  # noqa: E402, I100
from ros_client import RosClient  # noqa: E402, I100
from sensor_msgs.msg import CameraInfo, CompressedImage, Image  # noqa: E402, I100
from std_srvs.srv import SetBool, Trigger  # noqa: E402, I100
from vision_msgs.msg import Detection2DArray  # noqa: E402, I100

DOMAIN = os.getpid() % 101 + 1
FOLDER = Path(tempfile.gettempdir()) / f'camera_mp_launch_{os.getpid()}'
CONFIG = """
/front/camera: {ros__parameters: {source: synthetic, depth: true}}
/front/detector: {ros__parameters: {detector: aruco}}
/command_loop: {ros__parameters: {rate: 100.0}}
"""


@pytest.mark.launch_test
@parametrize('composed', ['false', 'true'])  # type: ignore[untyped-decorator]
def generate_test_description(composed: str) -> LaunchDescription:
    """Launch a camera, a detector and a command loop, in a domain of their own."""
    FOLDER.mkdir(exist_ok=True)
    config = FOLDER / 'cameras.yaml'
    config.write_text(CONFIG)
    return LaunchDescription([
        SetEnvironmentVariable('ROS_DOMAIN_ID', str(DOMAIN)),
        SetEnvironmentVariable('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST'),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(ROOT / 'launch' / 'cameras.launch.py')),
            launch_arguments={'config': str(config), 'composed': composed}.items()),
        ReadyToTest()])


class TestWhileItRuns(unittest.TestCase):
    """What its users see."""

    def setUp(self) -> None:
        os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
        self.client = RosClient(DOMAIN)

    def tearDown(self) -> None:
        self.client.close()

    def test_images(self) -> None:
        """Every topic of the camera has its message."""
        assert self.client.take(Image, '/front/image_raw').encoding == 'bgr8'
        assert self.client.take(Image, '/front/depth/image_rect_raw').encoding == '16UC1'
        jpeg = self.client.take(CompressedImage, '/front/image_raw/compressed')
        assert bytes(jpeg.data[:2]) == b'\xff\xd8'
        assert self.client.take(CameraInfo, '/front/camera_info').width == 640

    def test_detections(self) -> None:
        """The detector finds the markers of the synthetic camera, under its frame."""
        found = self.client.take(Detection2DArray, '/front/detections',
                                 lambda array: len(array.detections) == 4)
        assert found.header.frame_id == 'front_optical_frame'

    def test_diagnostics(self) -> None:
        """The camera says that it streams."""
        self.client.take(DiagnosticArray, '/diagnostics', lambda array: any(
            status.name == 'front/camera: front' and status.message == 'streaming'
            for status in array.status))

    def test_parameters_and_services(self) -> None:
        """What is asked happens."""
        assert self.client.set_parameter('/front/camera', 'rotate', 90) == (True, '')
        self.client.take(Image, '/front/image_raw', lambda image: image.width == 480)
        assert self.client.set_parameter('/front/camera', 'rotate', 0) == (True, '')
        answer = self.client.call(Trigger, '/front/save_snapshot')
        assert answer.success, answer.message
        Path(answer.message).unlink()
        assert self.client.call(SetBool, '/front/set_capture', data=False).success
        assert self.client.call(SetBool, '/front/set_capture', data=True).success


@post_shutdown_test()
class TestAfterTheEnd(unittest.TestCase):
    """What is left: nothing."""

    @classmethod
    def tearDownClass(cls) -> None:
        shutil.rmtree(FOLDER)

    def test_exit_codes(self, proc_info: Any) -> None:
        """Every process has ended as it should."""
        assertExitCodes(proc_info)

    def test_memory(self) -> None:
        """No ring is left."""
        assert list(list_rings(DOMAIN)) == []
