"""The container as launch_ros and `ros2 component` see it; its services need a ROS install."""

from collections.abc import Callable, Iterator
from pathlib import Path
import time
from typing import Any

from camera_mp.ring import FrameReader
from programs import eventually, PATIENCE, register, run, running, wait_for_end
import pytest
from test_source_video import make_video

rclpy = pytest.importorskip('rclpy', reason='the nodes need rclpy')

from rclpy.parameter import Parameter  # noqa: E402, I100

CONTAINER = ('-m', 'camera_mp.nodes.component_container', '--ros-args', '-r', '__node:=cameras')


@pytest.fixture
def call(ros_domain: int, tmp_path: Path,
         monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Give a function that calls a service of the container /cameras."""
    services = pytest.importorskip('composition_interfaces.srv', reason='not on PyPI')
    register(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=':')
    context = rclpy.context.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    node = rclpy.create_node('caller', context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def call(service: str, **fields: Any) -> Any:
        kind = getattr(services, service.title().replace('_', ''))
        client = node.create_client(kind, f'/cameras/_container/{service}')
        eventually(client.service_is_ready)
        answer = client.call_async(kind.Request(**fields))
        deadline = time.monotonic() + PATIENCE
        while not answer.done():
            assert time.monotonic() < deadline
            executor.spin_once(0.1)
        return answer.result()
    yield call
    executor.shutdown()
    node.destroy_node()
    context.shutdown()


def test_nodes_are_loaded_listed_and_unloaded(call: Callable[..., Any], ring_name: str) -> None:
    with running(*CONTAINER) as container:
        request = {'package_name': 'camera_mp', 'plugin_name': 'camera_mp::CameraNode',
                   'node_namespace': f'/{ring_name}'}
        size = Parameter('image_width', value=64).to_parameter_msg()
        answer = call('load_node', **request, parameters=[size])
        assert (answer.success, answer.unique_id, answer.full_node_name, answer.error_message) == (
            True, 1, f'/{ring_name}/camera', '')
        reader = FrameReader(ring_name)
        assert reader.wait(PATIENCE).format.width == 64
        listed = call('list_nodes')
        assert (list(listed.unique_ids), listed.full_node_names) == (
            [1], [f'/{ring_name}/camera'])

        wrong = call('load_node', **{**request, 'plugin_name': 'camera_mp::Nobody'})
        assert (wrong.success, wrong.unique_id) == (False, 0)
        assert 'allowed: camera_mp::CameraNode' in wrong.error_message

        status = reader.status()
        assert status
        assert call('unload_node', unique_id=1).success
        wait_for_end(status.pid)
        again = call('unload_node', unique_id=1)
        assert (again.success, again.error_message) == (False, 'no node has the unique id 1')
        assert list(call('list_nodes').unique_ids) == []
        assert container.end() == 0
        assert 'Traceback' not in container.text


def test_nodes_of_the_command_line_come_back_until_they_are_unloaded(
        call: Callable[..., Any], ring_name: str, tmp_path: Path) -> None:
    video = tmp_path / 'a.avi'
    file = tmp_path / 'parameters.yaml'
    file.write_text(f'/{ring_name}/camera:\n  ros__parameters:\n    source: video\n'
                    f'    video_device: {video}\n')
    module, ros = CONTAINER[:2], CONTAINER[2:]
    with running(*module, f'camera_mp camera_mp::CameraNode /{ring_name}/camera',
                 'camera_mp camera_mp::Nobody /other', *ros, '--params-file', file) as container:
        container.wait_for('camera_mp::Nobody: not loaded')
        container.wait_for(f'{video} does not exist', 2)
        make_video(video)
        FrameReader(ring_name).wait(PATIENCE)
        listed = call('list_nodes')
        assert listed.full_node_names == [f'/{ring_name}/camera']
        assert call('unload_node', unique_id=listed.unique_ids[0]).success
        container.wait_for('camera_mp::Nobody: not loaded',
                           container.text.count('camera_mp::Nobody: not loaded') + 2)
        assert call('list_nodes').full_node_names == []
        assert container.end() == 0


def test_a_wrong_component_is_one_line_and_a_code(ros_domain: int) -> None:
    container = run(*CONTAINER[:2], 'CameraNode', *CONTAINER[2:])
    assert container.process.returncode == 2
    assert container.lines == ["component: 'CameraNode' is not allowed; "
                               "allowed: 'PACKAGE PLUGIN /NAMESPACE/NAME'"]


def test_without_composition_interfaces_it_says_what_to_install(ros_domain: int) -> None:
    try:
        import composition_interfaces
    except ImportError:
        pass
    else:
        pytest.skip(f'{composition_interfaces.__name__} is here')
    container = run(*CONTAINER)
    assert container.process.returncode == 1
    assert container.lines == ['component_container: needs composition_interfaces; install '
                               'ros-$ROS_DISTRO-composition-interfaces']
