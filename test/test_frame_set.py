"""Frames of several cameras as one: which frames make a set, and what is said when none comes."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product
import time

from camera_mp import (
    FrameFormat,
    FrameSet,
    FrameTimeout,
    FrameWriter,
    RingClosed,
    SettingError,
    WriterDied,
)
from camera_mp.frame_set import newest_within
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
from programs import eventually
import pytest
from ring_processes import PATIENCE, running

SMALL = FrameFormat(2, 3, 'mono8')
MS = 1_000_000
STAMPS = st.lists(st.integers(0, 60), max_size=5, unique=True).map(sorted)


def _all_within(series: list[list[int]], slop: int) -> list[tuple[int, ...]]:
    return [one for one in product(*series) if max(one) - min(one) <= slop]


@given(st.lists(STAMPS, min_size=1, max_size=4), st.integers(0, 30))
def test_each_frame_chosen_is_the_newest_that_any_set_has(
        series: list[list[int]], slop: int) -> None:
    possible = _all_within(series, slop)
    chosen = newest_within(series, slop)
    if chosen is None:
        assert not possible
    else:
        stamps = tuple(one[index] for one, index in zip(series, chosen, strict=True))
        assert stamps in possible
        assert stamps == tuple(map(max, zip(*possible, strict=True)))


@given(st.lists(st.lists(st.integers(0, 60), max_size=5), min_size=1, max_size=4),
       st.integers(0, 30))
def test_after_a_step_of_the_clock_a_set_is_still_within_the_slop(
        series: list[list[int]], slop: int) -> None:
    chosen = newest_within(series, slop)
    if chosen is not None:
        stamps = [one[index] for one, index in zip(series, chosen, strict=True)]
        assert max(stamps) - min(stamps) <= slop


class Cameras:
    """Writers of this process, and the numbers of what they wrote."""

    def __init__(self, names: list[str], stack: ExitStack) -> None:
        self.names = names
        self.writers = [stack.enter_context(FrameWriter(name, SMALL)) for name in names]

    def write(self, camera: int, stamp_ns: int) -> None:
        """Write a picture that says whose it is."""
        self.writers[camera].write(np.full(SMALL.shape, camera, np.uint8), stamp_ns)


@pytest.fixture
def cameras(ring_name: str) -> Iterator[Cameras]:
    with ExitStack() as stack:
        yield Cameras([f'{ring_name}.{end}' for end in 'abc'], stack)


def _stamps(frames: FrameSet) -> list[int]:
    return [frame.stamp_ns for frame in frames.wait(0).values()]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), max_size=40),
       st.integers(0, 12))
def test_rings_give_what_a_plain_model_gives(acts: list[tuple[int, int]], slop: int) -> None:
    """Each act: a camera waits some time and takes a frame; whoever looks then gets the newest."""
    with ExitStack() as stack:
        names = [f'test_{time.monotonic_ns()}.{end}' for end in 'abc']
        cameras = Cameras(names, stack)
        frames = stack.enter_context(FrameSet(names, slop_ns=slop))
        unseen: list[list[int]] = [[], [], []]
        clock = 0
        for camera, later in acts:
            clock += later
            cameras.write(camera, clock)
            unseen[camera] = (unseen[camera] + [clock])[-6:]  # slots
            possible = _all_within(unseen, slop)
            if not possible:
                with pytest.raises(FrameTimeout):
                    frames.wait(0)
                continue
            newest = [max(column) for column in zip(*possible, strict=True)]
            assert _stamps(frames) == newest
            unseen = [[stamp for stamp in one if stamp > taken]
                      for one, taken in zip(unseen, newest, strict=True)]


def test_a_set_has_the_names_in_order_and_each_its_own_picture(cameras: Cameras) -> None:
    names = cameras.names[::-1]
    with FrameSet(names, slop_ns=2 * MS) as frames:
        for camera in (1, 0, 2):
            cameras.write(camera, 50 * MS + camera * MS)
        found = frames.wait(0)
    assert list(found) == names
    assert [int(frame.image[0, 0]) for frame in found.values()] == [2, 1, 0]


def test_borrowed_frames_lie_in_the_rings(cameras: Cameras) -> None:
    with FrameSet(cameras.names[:2], slop_ns=0) as frames:
        for camera in (0, 1):
            cameras.write(camera, MS)
        with frames.borrow(0) as found:
            assert not any(frame.image.flags.writeable for frame in found.values())
            assert all(frame.intact for frame in found.values())
            for number in range(6):
                cameras.write(0, (2 + number) * MS)
            assert [frame.intact for frame in found.values()] == [False, True]


def test_it_says_which_cameras_are_missing(cameras: Cameras) -> None:
    with FrameSet([*cameras.names, f'{cameras.names[0]}.none'], slop_ns=0) as frames:
        cameras.write(0, MS)
        with pytest.raises(FrameTimeout) as caught:
            frames.wait(0)
    assert "no new frame from camera '" + cameras.names[1] in str(caught.value)
    assert f"camera '{cameras.names[0]}.none' is not running" in str(caught.value)
    assert f"'{cameras.names[0]}'" not in str(caught.value)


def test_it_says_how_far_one_lags(cameras: Cameras) -> None:
    first, second = cameras.names[:2]
    with FrameSet([first, second], slop_ns=5 * MS) as frames:
        cameras.write(0, 100 * MS)
        cameras.write(1, 142_500_000)
        with pytest.raises(FrameTimeout, match=f"no frames within 5 ms: '{first}' is 42.5 ms "
                           f"behind camera '{second}'"):
            frames.wait(0)


def test_one_that_has_ended_is_said_after_its_last_set(cameras: Cameras) -> None:
    with FrameSet(cameras.names[:2], slop_ns=0) as frames:
        for camera in (0, 1):
            cameras.write(camera, MS)
        cameras.writers[1].close()
        assert _stamps(frames) == [MS, MS]
        with pytest.raises(RingClosed, match=f"camera '{cameras.names[1]}' has ended: closed"):
            frames.wait(PATIENCE)
        cameras.write(0, 2 * MS)
        with pytest.raises(RingClosed):
            frames.wait(0)


def test_frames_grow_and_sets_go_on(cameras: Cameras) -> None:
    with FrameSet(cameras.names[:2], slop_ns=0) as frames:
        for stamp, shape in ((1, (2, 3)), (2, (200, 300))):
            for camera in (0, 1):
                cameras.writers[camera].write(np.zeros(shape, np.uint8), stamp)
            found = frames.wait(PATIENCE)
            assert [frame.image.shape for frame in found.values()] == [shape] * 2


def test_a_sleeping_set_is_woken_whoever_comes_last(ring_name: str) -> None:
    names = [f'{ring_name}.{end}' for end in 'ab']
    with running('write', names[0], 2, 3) as first, running('write', names[1], 2, 3) as second:
        for last in (first, second):
            with running('block_set', *names, 10**12) as reader:
                (first if last is second else second).ask('write 1 2 3')
                eventually(reader.sleeps, 'its sleep')
                last.ask('write 1 2 3')
                assert reader.hear() == 'set'


def test_a_killed_camera_is_named_and_the_set_goes_on_with_the_next(ring_name: str) -> None:
    names = [f'{ring_name}.{end}' for end in 'ab']
    with FrameWriter(names[0], SMALL) as other, FrameSet(names, slop_ns=10**12) as frames:
        with running('write', names[1], 2, 3) as camera:
            camera.ask('write 1 2 3')
            other.write(np.zeros(SMALL.shape, np.uint8))
            frames.wait(PATIENCE)
            camera.kill()
        other.write(np.zeros(SMALL.shape, np.uint8))
        with pytest.raises(WriterDied, match=f"that wrote camera '{names[1]}' died"):
            frames.wait(0.1)
        with running('write', names[1], 2, 3) as camera:
            camera.ask('write 7 2 3')
            assert frames.wait(PATIENCE)[names[1]].sequence == 7


@pytest.mark.parametrize(('names', 'slop', 'text'), [
    ([], 0, 'names: [] are not allowed'), (['a', 'a'], 0, "names: ['a', 'a'] are not allowed"),
    (['a'], -1, 'slop_ns: -1 is not allowed; allowed: 0 or more'),
    (['a/b'], 0, "camera name: 'a/b' is not allowed"),
])
def test_what_no_set_can_be_is_refused(names: list[str], slop: int, text: str) -> None:
    with pytest.raises(SettingError) as caught:
        FrameSet(names, slop_ns=slop)
    assert text in str(caught.value)
