"""Qualities of service, as REP 2003 asks for them; a user overrides them by parameters."""

from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

# reliable, so that any subscriber matches; shallow, because a late image is worth nothing
IMAGES = QoSProfile(reliability=ReliabilityPolicy.RELIABLE, history=HistoryPolicy.KEEP_LAST,
                    depth=2)

# small, and with the policy 'every' each counts
DETECTIONS = QoSProfile(reliability=ReliabilityPolicy.RELIABLE, history=HistoryPolicy.KEEP_LAST,
                        depth=10)

# the newest one counts; ros2_control's controllers subscribe with the system default, reliable
COMMANDS = QoSProfile(reliability=ReliabilityPolicy.RELIABLE, history=HistoryPolicy.KEEP_LAST,
                      depth=1)


def overridable() -> QoSOverridingOptions:
    """Let qos_overrides.<topic>.publisher.* or .subscription.* parameters change qualities."""
    return QoSOverridingOptions.with_default_policies()
