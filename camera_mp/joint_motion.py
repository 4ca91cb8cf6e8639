"""
Move joints to their setpoints in small steps of bounded velocity and acceleration.

Radians for revolute joints, metres for prismatic ones, and the same per second.
"""

from array import array
from collections.abc import Sequence
import math

from camera_mp.errors import SettingError


class JointMotion:
    """
    Gives the next position of each joint, one `step` every `dt` seconds.

    A joint goes to its setpoint as fast as its bounds allow, without overshoot, and stays there.
    Between steps a position changes by max_velocity * dt at the most and a velocity (that change
    by dt) by max_acceleration * dt; a joint always can, and if need be does, brake inside its
    limits. Before the first setpoint a slow sine around the middle of the limits goes on.
    A step takes under 10 us for 6 joints and leaves no garbage. `set_setpoint` and `hold` may be
    called from another thread than `step`.

    max_velocity, max_acceleration: more than 0; one value for all joints or one for each.
    position_limits: lower, upper for all joints, or for each in turn; lower < upper.
    setpoint_timeout: seconds (counted in steps) after which a setpoint is stale; 0: never.
    sine_period: seconds; 0: stand still until the first setpoint.
    start: where the joints are; default 0, or the limit next to it.
    Raises SettingError for a value that is not allowed.
    """

    def __init__(self, joints: int, dt: float, max_velocity: Sequence[float],
                 max_acceleration: Sequence[float], position_limits: Sequence[float], *,
                 setpoint_timeout: float = 0.5, sine_period: float = 10.0,
                 start: Sequence[float] | None = None) -> None:
        _check_above_zero('joints', joints)
        _check_above_zero('dt', dt)
        self.joints, self._dt = joints, dt
        self._velocity_bounds = _for_each('max_velocity', max_velocity, joints)
        accelerations = _for_each('max_acceleration', max_acceleration, joints)
        self._changes = [bound * dt for bound in accelerations]  # of velocity in one step
        self._limits = _limits(position_limits, joints)
        self._timeout_steps = _duration('setpoint_timeout', setpoint_timeout, dt) or math.inf
        self._sine_steps = _duration('sine_period', sine_period, dt)
        self._sines = [self._sine(joint) for joint in range(joints)]
        if start is None:
            start = [min(max(0.0, lower), upper) for lower, upper in self._limits]
        self.positions = array('d', self._checked('start', start))
        self.velocities = array('d', bytes(8 * joints))
        self._setpoint: list[float] | None = None
        self._followed: list[float] | None = None  # the setpoint that _age belongs to
        self._age = self._sine_step = 0
        self._held = False
        self.stale = False

    def set_setpoint(self, setpoint: Sequence[float]) -> None:
        """
        Go there from the next step on.

        Raises SettingError, and changes nothing, if the number of values is not that of the
        joints or one of them is outside its limits (as NaN is).
        """
        self._setpoint = self._checked('setpoint', setpoint)

    def hold(self) -> None:
        """Come to rest as soon as the bounds allow and stay there, whatever setpoints come."""
        self._held = True

    @property
    def at_rest(self) -> bool:
        """Whether the last step moved no joint."""
        return not any(self.velocities)

    def step(self) -> 'array[float]':
        """
        Move by one `dt` and give `positions`, the same array each time, and of type float64.

        `stale` tells afterwards whether the setpoint is too old and was left for a rest.
        """
        goal = self._goal()
        for joint in range(self.joints):
            self._move(joint, None if goal is None else goal[joint])
        return self.positions

    def _goal(self) -> Sequence[float] | None:
        """Give where to go now; None: come to rest."""
        setpoint = self._setpoint
        if setpoint is not self._followed:
            self._followed, self._age = setpoint, 0
        self._age += 1
        self.stale = setpoint is not None and self._age > self._timeout_steps
        if self._held or self.stale:
            return None
        return self._next_of_sine() if setpoint is None else setpoint

    def _next_of_sine(self) -> Sequence[float] | None:
        if not self._sine_steps:
            return None
        self._sine_step += 1
        height = math.sin(2 * math.pi * (self._sine_step / self._sine_steps % 1))
        return [middle + amplitude * height for middle, amplitude in self._sines]

    def _move(self, joint: int, target: float | None) -> None:
        """Choose the velocity of one step, and take it."""
        position, velocity = self.positions[joint], self.velocities[joint]
        change = self._changes[joint]
        wanted = 0.0
        if target is not None:
            wanted = self._approach(target - position, change, self._velocity_bounds[joint])
        if wanted > velocity + change:
            velocity += change
        elif wanted < velocity - change:
            velocity -= change
        else:
            velocity = wanted
        lower, upper = self._limits[joint]  # which rounding could pass by the last bit
        self.positions[joint] = min(max(position + velocity * self._dt, lower), upper)
        self.velocities[joint] = velocity

    def _approach(self, distance: float, change: float, bound: float) -> float:
        """
        Give the highest velocity from which braking ends exactly at `distance`.

        sqrt(2 * a * d) in discrete time: n steps of v, v - change, v - 2 * change, ... > 0 lead
        (n * v - change * n * (n - 1) / 2) * dt far, where n is the least that can cover it all.
        """
        steps = abs(distance) / self._dt
        n = math.ceil((math.sqrt(1 + 8 * steps / change) - 1) / 2) or 1
        return math.copysign(min(steps / n + change * (n - 1) / 2, bound), distance)

    def _sine(self, joint: int) -> tuple[float, float]:
        """Give middle and amplitude: half of what limits, velocity and acceleration allow."""
        lower, upper = self._limits[joint]
        change, dt = self._changes[joint], self._dt
        speed = 2 * math.pi / (self._sine_steps * dt) if self._sine_steps else math.inf
        amplitude = min((upper - lower) / 2, self._velocity_bounds[joint] / speed,
                        change / dt / speed**2) / 2
        return (lower + upper) / 2, amplitude

    def _checked(self, name: str, values: Sequence[float]) -> list[float]:
        if len(values) != self.joints:
            raise SettingError(f'{name}: {len(values)} values are not allowed; '
                               f'allowed: {self.joints}, one for each joint')
        for joint, (value, (lower, upper)) in enumerate(zip(values, self._limits, strict=True)):
            if not lower <= value <= upper:  # false for NaN too
                raise SettingError(f'{name}[{joint}]: {value} is not allowed; '
                                   f'allowed: {lower} to {upper}')
        return list(values)  # a new one: its identity tells that it came


def _check_above_zero(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise SettingError(f'{name}: {value} is not allowed; allowed: more than 0')


def _duration(name: str, seconds: float, dt: float) -> int:
    """Give a duration in steps, of which one that is not 0 has at least one."""
    if not 0 <= seconds < math.inf:
        raise SettingError(f'{name}: {seconds} s is not allowed; allowed: 0 or more')
    return math.ceil(seconds / dt)


def _for_each(name: str, values: Sequence[float], joints: int) -> list[float]:
    if len(values) not in (1, joints):
        raise SettingError(f'{name}: {len(values)} values are not allowed; '
                           f'allowed: 1, or {joints}, one for each joint')
    for index, value in enumerate(values):
        _check_above_zero(f'{name}[{index}]', value)
    return list(values) * (joints // len(values))


def _limits(values: Sequence[float], joints: int) -> list[tuple[float, float]]:
    if len(values) not in (2, 2 * joints):
        raise SettingError(f'position_limits: {len(values)} values are not allowed; allowed: '
                           f'2, or {2 * joints}, lower and upper for each joint')
    every = list(zip(values[::2], values[1::2], strict=True)) * (2 * joints // len(values))
    for joint, (lower, upper) in enumerate(every):
        if not -math.inf < lower < upper < math.inf:
            raise SettingError(f'position_limits of joint {joint}: {lower} to {upper} is not '
                               f'allowed; allowed: lower < upper, both finite')
    return every
