"""
image_raw over DDS: stock settings against ours, and the way of a frame of a camera by its stops.

    python benchmark/image_topic.py [--quick] [--json FILE] [--plot FILE]

The ways to send are measured in turns, a little of each at a time, between two processes each,
after every one has shown that it delivers the same pixels. Latency: from the stamp until the
subscriber's callback has the Image. CPU: percent of a core.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from camera_mp.frame import FrameFormat
from image_topic_camera import cam2image_cost, camera_cost, Row, stops
from image_topic_pairs import Block, OBJECT, OURS, Pair, pairs, STOCK, UNTOUCHED, Way
from image_topic_processes import QUALITIES
import numpy as np
from options import judge, read_options
from report import percentiles, Report

FORMATS = [FrameFormat(height, width, 'bgr8')
           for height, width in ((480, 640), (720, 1280), (1080, 1920))]
WAYS = (STOCK, OURS, UNTOUCHED, OBJECT)
RANGES = ('SUBNET', 'LOCALHOST')


def size(form: FrameFormat) -> str:
    """Give what people write: 640x480."""
    return f'{form.width}x{form.height}'


def in_turns(running: Sequence[Pair], quality: str, form: FrameFormat, count: int,
             turns: int) -> dict[Way, list[Block]]:
    """Check each pair, then let each send `count` images, some turns long: A B A B."""
    for pair in running:
        pair.check(quality, form)
    blocks: dict[Way, list[Block]] = {pair.way: [] for pair in running}
    for _ in range(turns):
        for pair in running:
            blocks[pair.way].append(pair.run(quality, form, count))
    return blocks


def summary(blocks: Sequence[Block]) -> Row:
    """Give what all blocks of a pair say together."""
    ways = [(image.called - image.stamp) / 1e6 for block in blocks for image in block.delivered]
    seconds = sum(block.sent.seconds for block in blocks)
    sent = sum(len(block.sent.stamps) for block in blocks)
    cpu = [100 * sum(used) / seconds for used in zip(
        *[(block.sent.cpu, block.seen.cpu) for block in blocks], strict=True)]
    faults = sum(block.seen.faults for block in blocks) // max(len(ways), 1)
    latency = percentiles(ways) if ways else dict.fromkeys(('p50', 'p99', 'max'), '-')
    return {'sent': sent, 'delivered': len(ways),
            **{f'{key} ms': value for key, value in latency.items()},
            'publisher CPU %': cpu[0], 'subscriber CPU %': cpu[1], 'faults/image': faults}


def ratios(row: Row, stock: Row) -> Row:
    """Say how many times stock's latency and CPU are those of this row, if stock delivers."""
    def ratio(*keys: str) -> object:
        if 2 * int(str(stock['delivered'])) < int(str(stock['sent'])) or not row['delivered']:
            return '-'
        theirs, own = (sum(float(str(each[key])) for key in keys) for each in (stock, row))
        return theirs / own
    return {'stock/this p50': ratio('p50 ms'),
            'stock/this CPU': ratio('publisher CPU %', 'subscriber CPU %')}


def publishing(blocks: Sequence[Block]) -> Row:
    """Give what a frame costs the publisher until publish() is back."""
    costs = percentiles([cost / 1e6 for block in blocks for cost in block.sent.costs])
    ways = [(image.called - image.stamp) / 1e6 for block in blocks for image in block.delivered]
    frames = sum(len(block.sent.stamps) for block in blocks)
    return {'fill+publish p50 ms': costs['p50'], 'fill+publish p99 ms': costs['p99'],
            'publisher CPU ms/image': 1e3 * sum(block.sent.cpu for block in blocks) / frames,
            'latency p50 ms': float(np.median(ways))}


def compare(running: Sequence[Pair], sizes: Sequence[FrameFormat], count: int,
            turns: int) -> tuple[list[Row], list[Row]]:
    """Compare all ways at all sizes, and the two forms of a message by what they cost."""
    rows: list[Row] = []
    forms: list[Row] = []
    for form in sizes:
        for quality in QUALITIES:
            blocks = in_turns(running, quality, form, count, turns)
            found = {way: summary(blocks[way]) for way in blocks}
            rows += [{'size': size(form), 'QoS': quality, 'settings': way.name, **row,
                      **ratios(row, found[STOCK])} for way, row in found.items()]
            if quality == 'reliable':
                forms += [{'size': size(form), 'published': what, **publishing(blocks[way])}
                          for way, what in ((OBJECT, 'Image object'), (OURS, 'bytes'))]
    return rows, forms


def discovery(settings: Sequence[Way], count: int, turns: int) -> list[Row]:
    """See whether the profile is in force, and what it gives, however far discovery looks."""
    ways = [replace(way, discovery=where) for where in ('', *RANGES) for way in settings]
    with pairs(ways) as running:
        blocks = in_turns(running, 'reliable', FORMATS[-1], count, turns)
    return [{'ROS_AUTOMATIC_DISCOVERY_RANGE': way.discovery or 'not set', 'settings': way.name,
             'segment MiB': blocks[way][0].sent.segment / 2**20, **summary(blocks[way])}
            for way in ways]


def plot(path: Path, rows: Sequence[Row], way: Sequence[Row]) -> None:
    """Draw latencies, CPU and the way of a frame."""
    from plots import bars, picture, steps  # here: each process that is started imports this file

    with picture(path, 'image_raw at 30 Hz between two Python processes', 4) as axes:
        for panel, quality in zip(axes, QUALITIES, strict=False):
            found = [row for row in rows if row['QoS'] == quality]
            bars(panel, found, 'size', 'settings', 'p50 ms', log=True)
            panel.set_title(f'latency, {quality}')
        bars(axes[2], [row for row in rows if row['QoS'] == 'reliable'], 'size', 'settings',
             'subscriber CPU %')
        axes[2].set_title('CPU of the subscriber, reliable')
        steps(axes[3], way, 'stop', 'step p50 ms')
        axes[3].set_title('the way of a 1920x1080 frame of a camera')


def goals(rows: Sequence[Row]) -> list[Row]:
    """Compare with what is wanted: a tenth of stock's latency at 1080p, and every image."""
    ours = [row for row in rows if row['settings'] == OURS.name]
    ratio = [float(str(row['stock/this p50'])) for row in ours
             if row['size'] == size(FORMATS[-1]) and row['stock/this p50'] != '-']
    lost = sum(int(str(row['sent'])) - int(str(row['delivered'])) for row in ours)
    return [judge('1920x1080: p50, ours/stock', 0.1, 1 / ratio[0]),
            judge('images of ours that did not arrive, all sizes, either QoS', 0, lost)]


def main() -> None:
    """Run all of it."""
    options = read_options('image_raw over DDS: stock settings against ours.')
    count, turns, seconds = (8, 1, 1.5) if options.quick else (36, 3, 8.0)
    sizes = FORMATS[::2] if options.quick else FORMATS
    report = Report('image_raw over DDS')
    with pairs(WAYS) as running:
        rows, forms = compare(running, sizes, count, turns)
    report.add('Stock settings against ours, 30 Hz', rows)
    report.add('Goals', goals(rows))
    report.add('What to publish, 30 Hz', forms)
    report.add('Discovery range, 1920x1080, 30 Hz, reliable', discovery(
        (OURS,) if options.quick else (STOCK, OURS), count, turns))
    way = stops(FORMATS[-1], seconds)
    report.add('The way of a frame, 1920x1080, 30 Hz', way)
    programs = [cost(form, seconds) for form in sizes[1:]
                for cost in (camera_cost, cam2image_cost)]
    report.add('A camera with one subscriber, 30 Hz', [row for row in programs if row])
    if None in programs:
        print('\nimage_tools (cam2image) is not installed: not measured')
    report.save(options.json)
    if options.plot:
        plot(options.plot, rows, way)


if __name__ == '__main__':
    main()
