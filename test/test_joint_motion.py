from itertools import pairwise
import math
import threading

from camera_mp.errors import SettingError
from camera_mp.joint_motion import JointMotion
from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

DT = 0.002
LOWER, UPPER = -1.5, 2.0


def motion(velocity: float = 1.0, acceleration: float = 4.0, *, joints: int = 1,
           timeout: float = 0.0, sine_period: float = 0.0, dt: float = DT) -> JointMotion:
    return JointMotion(joints, dt, [velocity], [acceleration], [LOWER, UPPER],
                       setpoint_timeout=timeout, sine_period=sine_period)


def steps(moving: JointMotion, number: int, joint: int = 0) -> list[float]:
    return [moving.step()[joint] for _ in range(number)]


def check_bounds(path: list[float], velocity: float, acceleration: float,
                 dt: float = DT) -> None:
    """Check a path by its differences alone; 1e-15 is what the rounding of 2.0 may do to one."""
    changes = [after - before for before, after in pairwise(path)]
    assert all(LOWER <= position <= UPPER for position in path)
    assert all(abs(change) <= velocity * dt * (1 + 1e-9) + 1e-15 for change in changes)
    assert all(abs(after - before) <= acceleration * dt**2 * (1 + 1e-9) + 2e-15
               for before, after in pairwise(changes))


positions = st.floats(LOWER, UPPER)
bounds = st.tuples(st.floats(0.01, 20), st.floats(0.05, 500),
                   st.sampled_from([0.001, 0.002, 0.02]))


@given(bounds, st.lists(st.tuples(positions, st.integers(1, 400)), min_size=1, max_size=8),
       st.sampled_from([0.0, 0.1]), st.sampled_from([0.0, 1.0, 10.0]))
@settings(max_examples=150, deadline=None)
def test_no_sequence_of_setpoints_breaks_a_bound(
        bound: tuple[float, float, float], sequence: list[tuple[float, int]], timeout: float,
        sine_period: float) -> None:
    velocity, acceleration, dt = bound
    moving = motion(velocity, acceleration, timeout=timeout, sine_period=sine_period, dt=dt)
    path = [0.0, 0.0, *steps(moving, 50)]
    for setpoint, number in sequence:
        moving.set_setpoint([setpoint])
        path += steps(moving, number)
    moving.hold()
    path += steps(moving, 100)
    check_bounds(path, velocity, acceleration, dt)


@given(bounds, positions, positions, st.integers(0, 400))
@settings(max_examples=100, deadline=None)
def test_it_comes_to_the_setpoint_in_bounded_time_and_stays(
        bound: tuple[float, float, float], first: float, second: float, before: int) -> None:
    velocity, acceleration, dt = bound
    velocity, acceleration = max(velocity, 0.5), max(acceleration, 1.0)
    moving = motion(velocity, acceleration, dt=dt)
    moving.set_setpoint([first])
    steps(moving, before)
    moving.set_setpoint([second])
    # to brake, to go back over what that took, and the trapezoid of the longest way
    brake = velocity / acceleration
    limit = brake + velocity * brake / 2 / velocity + (UPPER - LOWER) / velocity + brake
    steps(moving, math.ceil(limit / dt) + 3)
    assert moving.positions[0] == pytest.approx(second, abs=1e-12)
    held = list(moving.positions)
    steps(moving, 10)
    assert list(moving.positions) == pytest.approx(held, abs=1e-15)
    assert moving.velocities[0] == pytest.approx(0, abs=1e-9)


@given(bounds, positions)
@settings(max_examples=100, deadline=None)
def test_from_rest_it_takes_the_least_time_and_never_overshoots(
        bound: tuple[float, float, float], setpoint: float) -> None:
    velocity, acceleration, dt = bound
    velocity, acceleration = max(velocity, 0.5), max(acceleration, 1.0)
    distance = abs(setpoint)
    if distance < velocity**2 / acceleration:
        least = 2 * math.sqrt(distance / acceleration)
    else:
        least = distance / velocity + velocity / acceleration
    moving = motion(velocity, acceleration, dt=dt)
    moving.set_setpoint([setpoint])
    path = steps(moving, math.ceil(least / dt) + 3)
    assert path[-1] == pytest.approx(setpoint, abs=1e-12)
    assert all(abs(position) <= distance + 1e-12 for position in path)
    directed = [position * math.copysign(1, setpoint) for position in path]
    assert all(after >= before - 1e-12 for before, after in pairwise(directed))


def test_turned_around_at_full_speed_before_a_limit_it_brakes_inside() -> None:
    moving = motion(5.0, 4.0)
    moving.set_setpoint([UPPER])
    path = [0.0]
    while moving.velocities[0] * DT < UPPER - path[-1] - moving.velocities[0]**2 / 8:
        path += steps(moving, 1)
    moving.set_setpoint([LOWER])
    path += steps(moving, 2000)
    check_bounds(path, 5.0, 4.0)
    assert path[-1] == pytest.approx(LOWER)


@pytest.mark.parametrize(('setpoint', 'says'), [
    ([0.0], 'setpoint: 1 values are not allowed; allowed: 2, one for each joint'),
    ([], 'setpoint: 0 values are not allowed; allowed: 2, one for each joint'),
    ([0.0] * 3, 'setpoint: 3 values are not allowed; allowed: 2, one for each joint'),
    ([0.0, math.nan], 'setpoint[1]: nan is not allowed; allowed: -1.5 to 2.0'),
    ([math.inf, 0.0], 'setpoint[0]: inf is not allowed; allowed: -1.5 to 2.0'),
    ([0.0, 2.0001], 'setpoint[1]: 2.0001 is not allowed; allowed: -1.5 to 2.0')])
def test_a_wrong_setpoint_is_refused_in_one_line_and_changes_nothing(
        setpoint: list[float], says: str) -> None:
    one, other = (motion(joints=2, timeout=0.1) for _ in range(2))
    for moving in (one, other):
        moving.set_setpoint([1.0, -1.0])
        steps(moving, 40)
    with pytest.raises(SettingError) as refused:
        one.set_setpoint(setpoint)
    assert str(refused.value) == says
    for _ in range(100):  # over the timeout: a refused one is no sign of life either
        assert list(one.step()) == list(other.step())
        assert one.stale == other.stale
    assert one.stale


def test_a_stale_setpoint_leads_to_a_smooth_rest_and_a_new_one_resumes() -> None:
    moving = motion(timeout=0.5)
    moving.set_setpoint([2.0])
    path = steps(moving, 250)
    assert not moving.stale
    assert moving.velocities[0] == 1.0
    path += steps(moving, 1)
    assert moving.stale
    path += steps(moving, 125)
    assert moving.at_rest
    assert 0.5 < path[-1] < 1.0
    assert steps(moving, 10) == [path[-1]] * 10
    moving.set_setpoint([2.0])
    path += steps(moving, 1)
    assert not moving.stale
    assert not moving.at_rest
    check_bounds(path, 1.0, 4.0)


def test_the_same_setpoint_again_is_a_sign_of_life() -> None:
    moving, setpoint = motion(timeout=0.1), (2.0,)
    for _ in range(10):
        moving.set_setpoint(setpoint)
        steps(moving, 50)
        assert not moving.stale


def test_before_the_first_setpoint_it_is_a_sine_inside_the_limits() -> None:
    moving = motion(sine_period=4.0)
    path = [0.0, 0.0, *steps(moving, 6000)]
    check_bounds(path, 1.0, 4.0)
    middle = (LOWER + UPPER) / 2
    assert max(path) == pytest.approx(middle + 1 / (math.pi), abs=0.01)  # by half the velocity
    assert min(path) == pytest.approx(middle - 1 / (math.pi), abs=0.01)
    assert path[2000 + 2:4000 + 2] == pytest.approx(path[4000 + 2:6000 + 2], abs=1e-6)
    assert not moving.stale
    moving.set_setpoint([-1.0])
    path += steps(moving, 2000)
    check_bounds(path, 1.0, 4.0)
    assert path[-1] == pytest.approx(-1.0)


def test_without_a_sine_it_stands_still() -> None:
    assert steps(motion(), 10) == [0.0] * 10


def test_held_it_comes_to_rest_within_its_bounds_and_no_setpoint_moves_it() -> None:
    moving = motion()
    moving.set_setpoint([2.0])
    path = steps(moving, 200)
    moving.hold()
    path += steps(moving, 125)
    assert moving.at_rest
    moving.set_setpoint([-1.0])
    assert steps(moving, 10) == [path[-1]] * 10
    check_bounds(path, 1.0, 4.0)


def test_each_joint_has_its_own_bounds_limits_and_start() -> None:
    moving = JointMotion(2, DT, [1.0, 2.0], [4.0, 8.0], [-1.0, 1.0, 0.5, 3.0], sine_period=0)
    assert list(moving.positions) == [0.0, 0.5]
    moving.set_setpoint([1.0, 3.0])
    for _ in range(250):
        positions = moving.step()
    assert list(moving.velocities) == [1.0, 2.0]
    assert positions is moving.positions
    begun = JointMotion(2, DT, [1.0], [1.0], [-1.0, 1.0], start=[0.3, -0.2], sine_period=0)
    assert list(begun.step()) == [0.3, -0.2]


@pytest.mark.parametrize(('change', 'says'), [
    ({'joints': 0}, 'joints: 0 is not allowed; allowed: more than 0'),
    ({'dt': math.nan}, 'dt: nan is not allowed; allowed: more than 0'),
    ({'max_velocity': [1.0, -1.0]}, 'max_velocity[1]: -1.0 is not allowed; allowed: more than 0'),
    ({'max_velocity': []}, 'max_velocity: 0 values are not allowed; '
                           'allowed: 1, or 2, one for each joint'),
    ({'max_acceleration': [math.inf]}, 'max_acceleration[0]: inf is not allowed; '
                                       'allowed: more than 0'),
    ({'position_limits': [1.0]}, 'position_limits: 1 values are not allowed; '
                                 'allowed: 2, or 4, lower and upper for each joint'),
    ({'position_limits': [1.0, -1.0]}, 'position_limits of joint 0: 1.0 to -1.0 is not allowed; '
                                       'allowed: lower < upper, both finite'),
    ({'setpoint_timeout': -1.0}, 'setpoint_timeout: -1.0 s is not allowed; allowed: 0 or more'),
    ({'sine_period': math.inf}, 'sine_period: inf s is not allowed; allowed: 0 or more'),
    ({'start': [0.0, 9.0]}, 'start[1]: 9.0 is not allowed; allowed: -1.0 to 1.0')])
def test_a_wrong_setting_is_refused_in_one_line(change: dict[str, object], says: str) -> None:
    setting: dict[str, object] = {
        'joints': 2, 'dt': DT, 'max_velocity': [1.0], 'max_acceleration': [1.0],
        'position_limits': [-1.0, 1.0], **change}
    with pytest.raises(SettingError) as refused:
        JointMotion(**setting)  # type: ignore[arg-type]
    assert str(refused.value) == says


def test_setpoints_from_another_thread_never_leave_it_stale() -> None:
    moving = motion(timeout=1.0)
    done = threading.Event()

    def send() -> None:
        while not done.is_set():
            moving.set_setpoint([1.0])
    sender = threading.Thread(target=send)
    sender.start()
    for _ in range(20_000):
        moving.step()
    done.set()
    sender.join()
    moving.set_setpoint([1.0])
    moving.step()
    assert not moving.stale
