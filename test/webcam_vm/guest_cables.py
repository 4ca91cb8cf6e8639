"""Webcams that are pulled out, come back under another number, hang, and look all alike."""

from contextlib import ExitStack

from camera_mp.ring import FrameReader, State
from captures import capturing, state, status
from pictures import number_in, numbers_of
from plugged import plug, plugged, unplug, video_nodes
from programs import eventually, PATIENCE
from webcam_daemon import WebcamHandle

# little to do for a machine that is emulated
YUYV = ('--pixel-format', 'YUYV', '--image-width', 320, '--image-height', 240, '--framerate', 10)


def shown(ring: str) -> int:
    """Give the number in the next picture."""
    with FrameReader(ring) as reader:
        reader.wait(PATIENCE)
        return number_in(reader.wait(PATIENCE).image)


def test_a_webcam_that_comes_back_under_another_number_is_found(ring_name: str) -> None:
    with plugged(0) as webcam, plugged(1) as other:
        unplug(other)
        before = video_nodes(webcam.serial)[0]
        with capturing(ring_name, before, *YUYV):
            unplug(webcam)
            eventually(lambda: state(ring_name) == State.RECONNECTING)
            old = status(ring_name)
            plug(other)
            assert plug(webcam) != before
            eventually(lambda: state(ring_name) == State.STREAMING)
            assert shown(ring_name) in numbers_of(0)
            new = status(ring_name)
        assert old and old.newest and new and new.newest
        assert new.reconnects == 1
        assert new.newest.stamp_ns > old.newest.stamp_ns


def test_a_webcam_that_hangs_stalls_and_goes_on(ring_name: str) -> None:
    with plugged(0) as webcam, capturing(
            ring_name, webcam.serial, *YUYV, '--stall-timeout', 0.5) as capture:
        webcam.freeze()
        capture.wait_for('stalled')
        webcam.thaw()
        eventually(lambda: state(ring_name) == State.STREAMING)
        assert shown(ring_name) in numbers_of(0)


def test_a_webcam_pulled_out_while_it_hangs_comes_back(ring_name: str) -> None:
    with plugged(0) as webcam, capturing(
            ring_name, webcam.serial, *YUYV, '--stall-timeout', 0.5) as capture:
        webcam.freeze()
        capture.wait_for('stalled')
        unplug(webcam)
        eventually(lambda: state(ring_name) == State.RECONNECTING)
        webcam.thaw()
        plug(webcam)
        eventually(lambda: state(ring_name) == State.STREAMING)
        assert shown(ring_name) in numbers_of(0)


def test_two_of_one_model_are_never_mixed_up(ring_name: str) -> None:
    webcams = [WebcamHandle(0), WebcamHandle(1)]
    rings = [f'{ring_name}.{webcam.serial}' for webcam in webcams]
    with ExitStack() as stack:
        for index, ring in enumerate(rings):
            webcam = stack.enter_context(plugged(index))
            stack.enter_context(capturing(ring, webcam.serial, *YUYV))
        devices = [video_nodes(webcam.serial)[0] for webcam in webcams]
        for webcam in webcams:
            webcam.unplug()
        eventually(lambda: {state(ring) for ring in rings} == {State.RECONNECTING})
        eventually(lambda: not any(video_nodes(webcam.serial) for webcam in webcams))
        assert [plug(webcam) for webcam in reversed(webcams)] == devices
        for index, ring in enumerate(rings):
            eventually(lambda ring=ring: state(ring) == State.STREAMING)  # type: ignore[misc]
            assert shown(ring) in numbers_of(index)
