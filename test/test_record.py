"""The program `record`: from Ctrl-C to SIGKILL."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
import signal

from camera_mp.frame import FrameFormat
from camera_mp.recording.sidecar import read_stamps
from camera_mp.ring import FrameWriter
import numpy as np
from programs import eventually, Program, run, running
import pytest
from recordings import assert_plays_by_its_stamps, need_av, play, send, stamps, START

RECORD = ('-m', 'camera_mp.record')
FORM = FrameFormat(96, 128, 'bgr8')
IMAGE = np.zeros((96, 128, 3), np.uint8)


@pytest.fixture
def writer(ring_name: str) -> Iterator[FrameWriter]:
    need_av()
    with FrameWriter(ring_name, FORM, slots=64) as writer:
        yield writer


def _begin(program: Program, writer: FrameWriter) -> None:
    """Wait until the program reads the camera, whose first frame this is."""
    eventually(lambda: writer.has_readers() or program.process.poll() is not None)
    writer.write(IMAGE, START)
    program.wait_for(f'{writer.name}: 128x96 bgr8 into ')


def _has_recorded(video: Path, stamp: int) -> bool:
    return read_stamps(video)[-1:] == [stamp]


def test_ctrl_c_leaves_a_whole_file(writer: FrameWriter, tmp_path: Path) -> None:
    output = tmp_path / 'out.mp4'
    with running(*RECORD, writer.name, '-o', output) as program:
        _begin(program, writer)
        send(writer, stamps(20)[1:], IMAGE)
        eventually(lambda: len(read_stamps(output)) == 20)
        assert not output.exists()
        assert program.end() == 0
    assert program.lines[-1] == f'{output}: 20 frames; stopped'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out.jsonl', 'out.mp4']
    assert len(assert_plays_by_its_stamps(output)) == 20


def test_after_a_sigkill_all_but_the_last_two_seconds_play(writer: FrameWriter,
                                                           tmp_path: Path) -> None:
    output = tmp_path / 'out.mp4'
    with running(*RECORD, writer.name, '-o', output) as program:
        _begin(program, writer)
        moments = stamps(300)
        for first in range(1, 300, 50):  # no more at once than the ring holds
            some = moments[first:first + 50]
            send(writer, some, IMAGE)
            eventually(partial(_has_recorded, output, some[-1]))
        program.end(signal.SIGKILL)
    assert read_stamps(output) == moments
    played = play(tmp_path / 'out.mp4.part')
    assert START + played[-1][0] >= moments[-1] - 2 * 10**9
    for (moment, _), stamp in zip(played, moments, strict=False):
        assert abs(moment - (stamp - START)) < 10**6


def test_without_names_all_cameras_are_recorded_those_that_come_later_too(
        writer: FrameWriter, tmp_path: Path) -> None:
    with running(*RECORD, '-o', tmp_path / 'videos') as program:
        _begin(program, writer)
        with FrameWriter(f'{writer.name}.depth', FrameFormat(48, 64, '16UC1')) as depth:
            eventually(depth.has_readers)
            depth.write(np.zeros((48, 64), np.uint16), START)
            program.wait_for(f'{depth.name}: 64x48 16UC1 into ')
            assert program.end(signal.SIGTERM) == 0
    assert sorted(path.name for path in (tmp_path / 'videos').glob('*.mp4')) == [
        f'{name}_2026-11-20T16-05-12.345Z.mp4' for name in (depth.name, writer.name)]


def test_it_ends_after_some_seconds(writer: FrameWriter, tmp_path: Path) -> None:
    with running(*RECORD, writer.name, '-o', tmp_path, '--seconds', 1.5) as program:
        _begin(program, writer)
        assert program.wait() == 0
    assert len(list(tmp_path.glob('*.mp4'))) == 1


@pytest.mark.parametrize(('words', 'text'), [
    (['left', 'right', '-o', 'x.mp4'], 'x.mp4 is one file; for several cameras give a folder'),
    (['-o', 'x.mp4'], 'x.mp4 is one file'),
    (['../x'], "camera name: '../x' is not allowed"),
    (['front', '-o', '/dev/null/x'], 'folder: /dev/null/x: Not a directory'),
    (['front', '-o', '{folder}/old.mp4'], 'old.mp4 is there already; give another name'),
    (['front', '-o', '{folder}/cut.mp4'], 'cut.mp4.part is there already; give another name'),
    (['front', '--quality', '0'], 'quality: 0 is not allowed; allowed: 1 to 100'),
    (['front', '--codec', 'h265'], "codec: 'h265' is not allowed; allowed: 'auto', 'h264'"),
    (['front', '--seconds', '0'], 'seconds: 0.0 is not allowed; allowed: more than 0'),
    (['nobody', '-o', '{folder}', '--seconds', '0.2'], 'nobody: no frame came'),
    (['-o', '{folder}', '--seconds', '0.2'], 'no camera came'),
])
def test_what_cannot_be_is_one_line_and_code_1(ring_name: str, tmp_path: Path, words: list[str],
                                               text: str) -> None:
    need_av()
    for name in ('old.mp4', 'cut.mp4.part'):
        (tmp_path / name).write_bytes(b'')
    program = run(*RECORD, *(word.format(folder=tmp_path) for word in words))
    assert program.process.returncode == 1
    assert len(program.lines) == 1
    assert text in program.lines[0]


def test_without_pyav_it_says_what_to_install(ring_name: str) -> None:
    program = run('-c', 'import sys; sys.modules["av"] = None\n'
                  'from camera_mp.record import main\nsys.exit(main(["front"]))')
    assert program.process.returncode == 1
    assert program.lines == ['record: recording needs PyAV 16 or newer: pip install av']
