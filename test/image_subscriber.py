"""
An independent subscriber, run as a process: one JSON line for each image it gets.

    python image_subscriber.py <topic> <number of images> [reliable|best_effort]
"""

import hashlib
import json
import sys

from camera_mp.signals import StopFlag
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image


def main(topic: str, wanted: int, reliability: str) -> None:
    """Subscribe, say 'ready', report images until enough have come."""
    # rclpy's own handlers sometimes leave a process that spins hanging
    stop = StopFlag()
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node('image_subscriber')
    seen = 0

    def on_image(message: Image) -> None:
        nonlocal seen
        seen += 1
        print(json.dumps({
            'stamp_ns': message.header.stamp.sec * 10**9 + message.header.stamp.nanosec,
            'frame_id': message.header.frame_id, 'height': message.height,
            'width': message.width, 'step': message.step, 'encoding': message.encoding,
            'digest': hashlib.sha1(message.data).hexdigest()}), flush=True)

    # as deep as a recorder's: every frame counts
    node.create_subscription(Image, topic, on_image, QoSProfile(
        depth=50, reliability=ReliabilityPolicy[reliability.upper()]))
    print('ready', flush=True)
    while seen < wanted and not stop.is_set:
        rclpy.spin_once(node, timeout_sec=0.1)
    node.destroy_node()
    rclpy.shutdown()


if __name__ == '__main__':
    main(sys.argv[1], int(sys.argv[2]), [*sys.argv, 'reliable'][3])
