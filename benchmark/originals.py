"""
Loops, threads or processes, and how many: what programs of this kind have always asked.

    python benchmark/originals.py [--quick] [--json FILE] [--plot FILE]

A screen grabber in one loop, in two threads and in two processes (on DISPLAY, else on Xvfb); a
producer whose pictures are shared out among consumers; ever more cameras, and what is done to
their pictures.
"""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import subprocess

from options import read_options, Row
from originals_cameras import many_cameras
from originals_screen import grabbers
from originals_sharing import shared_out
from report import Report


@contextmanager
def display() -> Iterator[str]:
    """Give a display, of Xvfb if this process has none; '' if there is no Xvfb either."""
    if os.environ.get('DISPLAY') or not shutil.which('Xvfb'):
        yield os.environ.get('DISPLAY', '')
        return
    server = subprocess.Popen(
        ['Xvfb', '-displayfd', '1', '-screen', '0', '1920x1080x24', '-noreset'],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout
        os.environ['DISPLAY'] = f':{server.stdout.readline().strip()}'
        yield os.environ['DISPLAY']
    finally:
        del os.environ['DISPLAY']
        server.terminate()
        server.communicate()


def plot(path: Path, parts: dict[str, list[Row]]) -> None:
    """Draw the frames a second of each part; after all is saved: it adds to the rows."""
    from plots import bars, picture  # here, or every process would load Matplotlib
    shown = {'screen': ('processing', 'arrangement', 'processed FPS'),
             'sharing': ('wanted FPS, consumers', 'arrangement', 'consumed FPS'),
             'cameras': ('cameras', 'processing', 'consumer FPS')}
    for row in parts['sharing']:
        row['wanted FPS, consumers'] = f'{row["wanted FPS"]:g}, {row["consumers"]}'
    with picture(path, 'Loops, threads and processes', len(parts)) as panels:
        for panel, (name, rows) in zip(panels, parts.items(), strict=True):
            bars(panel, rows, *shown[name])


def main() -> None:
    """Run all."""
    options = read_options('Compares loops, threads and processes.')
    seconds = 0.7 if options.quick else 3.0
    report = Report('Loops, threads and processes')
    parts: dict[str, list[Row]] = {}
    with display() as name:
        if name:
            parts['screen'] = grabbers(seconds)
            report.add('A screen grabber, as fast as it goes', parts['screen'])
        else:
            print('\nNo screen grabber: DISPLAY is not set and Xvfb is not installed')
    parts['sharing'] = shared_out(seconds)
    report.add('One producer, each 1920x1080 picture for one of the consumers, who makes it gray '
               'and turns it', parts['sharing'])
    parts['cameras'] = many_cameras((1, 3) if options.quick else (1, 3, 10), seconds)
    report.add('Cameras with a consumer each, 640x480 at 30 Hz', parts['cameras'])
    report.save(options.json)
    if options.plot:
        plot(options.plot, parts)


if __name__ == '__main__':
    main()
