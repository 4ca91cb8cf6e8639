"""The detector pool with real rings and worker processes."""

from collections.abc import Iterator
from dataclasses import replace
import os
from pathlib import Path
import random
import signal
import threading
import time
from typing import Any

from camera_mp import FrameFormat, FrameTimeout, FrameWriter, SettingError
from camera_mp.calibration import Calibration
from camera_mp.detector_pool import DetectorPool
from camera_mp.detector_results import Result
from camera_mp.errors import DetectorError, PoolClosed
from camera_mp.in_order import InOrder
import cv2
from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pool_detectors
from programs import eventually, is_alive, PATIENCE, ROOT, running, wait_for_end
import pytest

SMALL = FrameFormat(8, 16, 'mono8')
SLOTS = 64


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.info = self.warning = self.error = self.lines.append


@pytest.fixture(autouse=True)
def children_find_the_detectors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join([str(ROOT), str(Path(__file__).parent)]))


@pytest.fixture
def writer(ring_name: str) -> Iterator[FrameWriter]:
    with FrameWriter(ring_name, SMALL, slots=SLOTS) as writer:
        yield writer


def write(writer: FrameWriter, value: int, form: FrameFormat = SMALL) -> None:
    writer.write(np.full(form.shape, value, form.dtype))


def ready_pool(ring: str, detector: str, *arguments: Any, **options: Any) -> DetectorPool:
    pool = DetectorPool(ring, f'pool_detectors:{detector}', *arguments, **options)
    try:
        assert pool.wait_ready(PATIENCE)
    except BaseException:
        pool.close()
        raise
    return pool


def values(results: list[Result]) -> list[int]:
    return [round(result.detections[0].score * 255) for result in results]


@given(st.permutations(range(12)), st.sets(st.integers(0, 11)))
def test_results_leave_in_order_whatever_comes_first(done: list[int], nothing: set[int]) -> None:
    order: InOrder[int] = InOrder()
    assert [order.begin() for _ in done] == list(range(12))
    left: list[int] = []
    for number, ticket in enumerate(done, 1):
        left += order.settle(ticket, None if ticket in nothing else ticket)
        first = min(set(range(13)) - set(done[:number]))  # that is not done
        assert left == [one for one in range(first) if one not in nothing]
        assert order.waiting == number - first


@pytest.mark.parametrize('workers', [1, 2, 5])
def test_every_frame_is_worked_on_once_and_comes_in_order(writer: FrameWriter, tmp_path: Path,
                                                          workers: int) -> None:
    with ready_pool(writer.name, 'Trace', workers, 'every',
                    {'folder': str(tmp_path), 'longest': 0.02}) as pool:
        results = []
        for value in range(100):
            write(writer, value)
            if value >= 50:  # so far behind that the ring, at times, is all that remembers them
                results.append(pool.next(PATIENCE))
        results += [pool.next(PATIENCE) for _ in range(50)]
    assert values(results) == list(range(100))
    assert [result.number for result in results] == list(range(1, 101))
    assert [result.sequence for result in results] == list(range(100))
    assert (results[0].width, results[0].height) == (16, 8)
    traces = {int(path.name): path.read_text().split() for path in tmp_path.iterdir()}
    assert sorted(traces) == list(range(100))
    assert {len(processes) for processes in traces.values()} == {1}
    assert len({process for processes in traces.values() for process in processes}) == workers
    assert (pool.counts.processed, pool.counts.missed, pool.counts.lost) == (100, 0, 0)


def test_frames_overwritten_before_a_worker_was_free_are_counted(ring_name: str) -> None:
    with FrameWriter(ring_name, SMALL, slots=2) as writer, ready_pool(
            ring_name, 'Trace', 1, 'every', {'longest': 0.01}) as pool:
        for value in range(200):
            write(writer, value)
        results = [pool.next(PATIENCE)]
        while results[-1].number < 200:
            results.append(pool.next(PATIENCE))
    counts = pool.counts
    assert len(results) == counts.processed
    assert counts.processed + counts.missed + counts.lost == 200
    assert counts.missed
    assert values(results) == sorted(set(values(results)))


def test_newest_leaves_out_what_is_older_and_never_goes_back(writer: FrameWriter) -> None:
    with ready_pool(writer.name, 'Trace', 2, 'newest', {'longest': 0.01}) as pool:
        results = []
        for value in range(100):
            write(writer, value)
            if value % 10 == 9:
                results.append(pool.next(PATIENCE))
        while results[-1].number < 100:
            results.append(pool.next(PATIENCE))
    numbers = [result.number for result in results]
    assert numbers == sorted(set(numbers))
    assert len(numbers) < 100
    assert pool.counts.missed == 0


def test_who_does_not_fetch_gets_no_old_results_of_newest(writer: FrameWriter) -> None:
    with ready_pool(writer.name, 'Trace', 2, 'newest') as pool:
        numbers = iter(range(1, 10**6))
        while pool.counts.processed < 2:
            write(writer, next(numbers) % 200)
            time.sleep(0.001)
        for _ in range(100):
            write(writer, last := next(numbers) % 200)
        results = [pool.next(PATIENCE)]
        while values(results)[-1] != last:
            results.append(pool.next(PATIENCE))
    assert len(results) < 10


def test_a_worker_killed_at_any_moment_is_replaced_and_order_kept(writer: FrameWriter) -> None:
    dice = random.Random(1)
    log = Lines()
    with ready_pool(writer.name, 'Trace', 3, 'every', {'longest': 0.01}, log=log) as pool:
        results: list[Result] = []
        reader = threading.Thread(target=lambda: results.extend(pool))
        reader.start()
        written = 0
        for _ in range(3):
            for _ in range(dice.randrange(10, 30)):
                written += 1
                write_when_followed(pool, writer, written)
            os.kill(dice.choice(pool.pids), signal.SIGKILL)
        while pool.counts.restarts < 3:  # who died while it was idle is seen with its next frame
            written += 1
            write_when_followed(pool, writer, written)
        eventually(lambda: accounted(pool) == written)
        pool.close()
        reader.join(PATIENCE)
    numbers = [result.number for result in results]
    assert numbers == sorted(set(numbers))
    assert len(results) == pool.counts.processed >= written - 3
    assert 'was killed by SIGKILL; starting another' in log.lines[-1]


def accounted(pool: DetectorPool) -> int:
    counts = pool.counts
    return counts.processed + counts.lost + counts.errors + counts.missed


def write_when_followed(pool: DetectorPool, writer: FrameWriter, number: int) -> None:
    eventually(lambda: accounted(pool) > number - SLOTS // 2)
    write(writer, number % 200)


def test_a_killed_workers_frame_is_lost_and_those_after_it_wait(writer: FrameWriter) -> None:
    with ready_pool(writer.name, 'Moody', 2, 'every', log=(log := Lines())) as pool:
        for value in (1, pool_detectors.DIE, 2, 3):
            write(writer, value)
        assert values([pool.next(PATIENCE) for _ in range(3)]) == [1, 2, 3]
        assert pool.counts.lost == 1
        eventually(lambda: len(pool.pids) == 2)
    assert any('was killed by SIGABRT' in line for line in log.lines)


def test_a_worker_that_hangs_is_replaced_after_the_timeout(writer: FrameWriter) -> None:
    with ready_pool(writer.name, 'Moody', 2, 'every', timeout=0.5, log=(log := Lines())) as pool:
        before = set(pool.pids)
        for value in (1, pool_detectors.HANG, 2, 3):
            write(writer, value)
        assert values([pool.next(PATIENCE) for _ in range(3)]) == [1, 2, 3]
        assert (pool.counts.lost, pool.counts.restarts) == (1, 1)
        eventually(lambda: len(pool.pids) == 2)
        assert len(before & set(pool.pids)) == 1
    assert any('gave no answer within 0.5 s and was killed' in line for line in log.lines)


@pytest.mark.parametrize(('value', 'text'), [
    (pool_detectors.RAISE, 'ValueError: a picture that I do not like'),
    (pool_detectors.NOT_A_NUMBER, 'box: (0.0, nan, 1.0, 1.0); expected 4 finite numbers'),
    (pool_detectors.NO_LIST, 'it gave None; expected a list of Detection'),
    (pool_detectors.NO_DETECTION, "it gave a list with 'x'; expected Detection"),
    (pool_detectors.WRONG_SCORE, 'score: 1.5; expected 0 to 1'),
])
def test_bad_results_are_counted_and_said_once(writer: FrameWriter, value: int,
                                               text: str) -> None:
    with ready_pool(writer.name, 'Moody', 1, 'every', log=(log := Lines())) as pool:
        before = pool.pids
        for each in (value, value, value, 5):
            write(writer, each)
        assert values([pool.next(PATIENCE)]) == [5]
        assert (pool.counts.errors, pool.counts.restarts, pool.pids) == (3, 0, before)
    assert [line for line in log.lines if text in line] == [
        f'detector of camera {writer.name!r}, frame 0: {text}']


def test_a_camera_that_restarts_resizes_and_ends(ring_name: str) -> None:
    log = Lines()
    with ready_pool(ring_name, 'Trace', 2, 'every', log=log) as pool:
        for life, form in enumerate((SMALL, FrameFormat(480, 640, 'mono8'))):
            with FrameWriter(ring_name, form) as writer:
                for value in range(3):
                    write(writer, value, form)
                    result = pool.next(PATIENCE)
                    assert values([result]) == [value]
                    assert result.number == value + 1
                    assert (result.width, result.height) == (form.width, form.height)
                if life:
                    large = FrameFormat(600, 800, 'mono8')
                    write(writer, 9, large)  # in a new, larger file
                    assert pool.next(PATIENCE).width == 800
            eventually(lambda: any('has ended' in line for line in log.lines))
            log.lines = [line for line in log.lines if 'has ended' not in line]
            log.info = log.warning = log.error = log.lines.append
    assert [line for line in log.lines if 'delivers' in line] == [
        f'camera {ring_name!r} delivers {size} mono8' for size in ('16x8', '640x480', '800x600')]


def test_a_camera_whose_process_was_killed(ring_name: str) -> None:
    log = Lines()
    capture = ('-m', 'camera_mp.capture', ring_name, '--image-width', 64, '--image-height', 48)
    with ready_pool(ring_name, 'Trace', 1, log=log) as pool:
        results: list[Result] = []
        reader = threading.Thread(target=lambda: results.extend(pool))
        reader.start()
        with running(*capture) as camera:
            eventually(lambda: results)
            camera.process.kill()
            eventually(lambda: any('died' in line for line in log.lines))
        before = len(results)
        with running(*capture):
            eventually(lambda: len(results) > before)
        pool.close()
        reader.join(PATIENCE)
    assert sum('delivers' in line for line in log.lines) == 2


def test_pictures_are_converted_and_workers_keep_to_one_thread(ring_name: str) -> None:
    calibration = Calibration(16, 8, 'plumb_bob', (0.0,) * 5, (2.0,) * 9, (1.0,) * 9, (3.0,) * 12)
    form = replace(SMALL, encoding='bgr8')
    with FrameWriter(ring_name, form) as writer, ready_pool(
            ring_name, 'Grey', 1, 'every', nice=7) as pool:
        write(writer, 1, form)
        said = {one.class_id for one in pool.next(PATIENCE).detections}
        assert said == {'nice 7', 'cv2 1', 'env 11', 'shape (8, 16)', 'camera None'}
        for pool.calibration, focal in ((calibration, 2.0), (None, None)):
            write(writer, 1, form)
            assert f'camera {focal}' in {one.class_id for one in pool.next(PATIENCE).detections}
        session = Path(f'/proc/{pool.pids[0]}/autogroup')
        if session.exists():
            while session.read_text().split()[-1] != '7':  # tried again after each picture
                write(writer, 1, form)
                pool.next(PATIENCE)


def test_a_depth_is_no_picture(ring_name: str) -> None:
    form = replace(SMALL, encoding='16UC1')
    with FrameWriter(ring_name, form) as writer, ready_pool(
            ring_name, 'Grey', log=(log := Lines())) as pool:
        write(writer, 1, form)
        eventually(lambda: pool.counts.errors == 1)
    assert any("'mono8' cannot be made of 16UC1" in line for line in log.lines)


def test_jpegs_are_decoded_and_a_broken_one_is_an_error(ring_name: str) -> None:
    picture = cv2.imencode('.jpg', np.full((8, 16), 100, np.uint8))[1].reshape(-1)
    with FrameWriter(ring_name, replace(SMALL, encoding='jpeg')) as writer, ready_pool(
            ring_name, 'Trace', 1, 'every', log=(log := Lines())) as pool:
        for data in (picture[:20], picture):
            writer.write(data)
        assert abs(values([pool.next(PATIENCE)])[0] - 100) <= 2
        assert pool.counts.errors == 1
    assert any('a jpeg of 20 bytes cannot be decoded' in line for line in log.lines)


@pytest.mark.parametrize(('detector', 'options', 'text'), [
    ('Trace', {'workers': 0}, 'workers: 0 is not allowed; allowed: 1 to 64'),
    ('Trace', {'policy': 'oldest'}, "policy: 'oldest' is not allowed"),
    ('Trace', {'settings': {'longst': 1.0}}, 'longst: no such parameter; did you mean longest?'),
    ('Trace', {'timeout': float('nan')}, 'timeout: nan is not allowed'),
    ('Remembering', {'workers': 2}, 'workers: 2 is not allowed with '),
    ('Absent', {}, "detector: 'pool_detectors:Absent' cannot be loaded: module"),
    ('HANG', {}, "detector: 'pool_detectors:HANG' is no subclass of Detector"),
])
def test_wrong_settings_are_refused_at_once(ring_name: str, detector: str,
                                            options: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingError, match=text):
        DetectorPool(ring_name, f'pool_detectors:{detector}', **options)


def test_a_stateful_detector_may_have_one_worker(writer: FrameWriter) -> None:
    with ready_pool(writer.name, 'Remembering', 1, 'every') as pool:
        write(writer, 3)
        assert values([pool.next(PATIENCE)]) == [3]


def test_a_detector_that_cannot_be_made_ends_the_pool(writer: FrameWriter) -> None:
    with DetectorPool(writer.name, 'pool_detectors:Impossible', 3) as pool:
        for _ in range(2):
            with pytest.raises(DetectorError, match=r'^model: /nowhere.onnx does not exist$'):
                pool.next(PATIENCE)
        eventually(lambda: not pool.pids)


def test_close_wakes_who_waits_and_ends_workers_that_hang(writer: FrameWriter) -> None:
    pool = ready_pool(writer.name, 'Moody', 2, 'every')
    pids = pool.pids
    waiter = threading.Thread(target=lambda: list(pool))
    waiter.start()
    with pytest.raises(FrameTimeout, match='no result of camera'):
        pool.next(0.01)
    write(writer, pool_detectors.HANG)
    pool.close()
    waiter.join(PATIENCE)
    assert not waiter.is_alive()
    assert not any(map(is_alive, pids))
    with pytest.raises(PoolClosed):
        pool.next()


def test_a_killed_parent_leaves_no_worker(writer: FrameWriter) -> None:
    program = ('import time\nfrom camera_mp.detector_pool import DetectorPool\n'
               f'pool = DetectorPool({writer.name!r}, "pool_detectors:Moody", 3)\n'
               'pool.wait_ready()\nprint("pids", *pool.pids, flush=True)\ntime.sleep(3600)\n')
    with running('-c', program) as parent:
        pids = list(map(int, parent.wait_for('pids').split()[1:]))
        write(writer, pool_detectors.HANG)
        parent.process.kill()
        wait_for_end(*pids)
    assert len(pids) == 3
