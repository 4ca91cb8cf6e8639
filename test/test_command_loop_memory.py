"""The tick's way keeps nothing and logs nothing."""

import tracemalloc

import pytest

rclpy = pytest.importorskip('rclpy', reason='the nodes need rclpy')

from camera_mp.nodes.command_loop import CommandLoopNode  # noqa: E402, I100
from camera_mp.periodic import Tick  # noqa: E402, I100
from camera_mp.signals import StopFlag  # noqa: E402, I100
from rclpy.parameter import Parameter  # noqa: E402, I100


class _NoLog:

    def __getattr__(self, name: str) -> None:
        raise AssertionError(f'the tick logs a {name}')


def test_ten_thousand_ticks_keep_no_memory(ros_domain: int,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    context = rclpy.context.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    node = CommandLoopNode(context=context, parameter_overrides=[
        Parameter('rt_priority', value=0), Parameter('lock_memory', value=False)])
    node._stop = StopFlag.__new__(StopFlag)
    node._stop.is_set = False
    monkeypatch.setattr(node, 'get_logger', _NoLog)
    for number in range(1, 2000):
        node._tick(Tick(0, number))
    tracemalloc.start()
    node._tick(Tick(0, 1))
    before = tracemalloc.get_traced_memory()[0]
    for number in range(1, 10_001):
        node._tick(Tick(0, number))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    node.destroy_node()
    context.shutdown()
    # one float a tick that stays would be 240 kB; Python's own caches come and go below this
    assert grown < 50_000, f'{grown} bytes after 10000 ticks'
