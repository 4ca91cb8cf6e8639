"""
Listens to a command loop, run as a process, and sends it setpoints.

    python command_listener.py

A line of JSON on its standard input is a setpoint to publish; an empty line asks for the state,
which it says as one line of JSON: how many commands came, the last few, the newest diagnostics.
"""

from collections import deque
import json
import sys
import threading
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.qos import QoSProfile
from rclpy.task import Future
from std_msgs.msg import Float64MultiArray


def main() -> None:
    """Spin in a thread, obey lines until the input ends."""
    rclpy.init()
    node = rclpy.create_node('command_listener')
    last: deque[list[float]] = deque(maxlen=1000)
    state: dict[str, Any] = {'count': 0, 'diagnostics': {}, 'level': 0, 'message': ''}

    def on_command(message: Float64MultiArray) -> None:
        state['count'] += 1
        last.append(list(message.data))

    def on_diagnostics(array: DiagnosticArray) -> None:
        status = array.status[0]
        state.update(diagnostics={value.key: value.value for value in status.values},
                     level=status.level[0], message=status.message)

    node.create_subscription(Float64MultiArray, 'commands', on_command, QoSProfile(depth=1000))
    node.create_subscription(DiagnosticArray, '/diagnostics', on_diagnostics, 10)
    setpoints = node.create_publisher(Float64MultiArray, 'setpoint', 10)
    end: Future[None] = Future()
    thread = threading.Thread(target=rclpy.spin_until_future_complete, args=[node, end])
    thread.start()
    print('ready', flush=True)
    for line in sys.stdin:
        if line.strip():
            setpoints.publish(Float64MultiArray(data=json.loads(line)))
        else:
            print(json.dumps({**state, 'last': list(last)}), flush=True)
    end.set_result(None)
    thread.join()
    node.destroy_node()
    rclpy.shutdown()


if __name__ == '__main__':
    main()
