"""What the longer benchmarks share beside report.py: their options and how goals are judged."""

from argparse import ArgumentParser, Namespace
import os
from pathlib import Path

Row = dict[str, object]


def read_options(description: str) -> Namespace:
    """Give quick, json and plot; keep what runs in a ROS domain of its own, on this host."""
    parser = ArgumentParser(description=description)
    parser.add_argument('--quick', action='store_true', help='under half a minute')
    parser.add_argument('--json', type=Path, metavar='FILE')
    parser.add_argument('--plot', type=Path, metavar='FILE', help='a PNG')
    os.environ.setdefault('ROS_DOMAIN_ID', '99')
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    return parser.parse_args()


def judge(goal: str, most: float, found: float) -> Row:
    """Give a row that says whether a ratio is at most as large as wanted."""
    return {'goal': goal, 'at most': most, 'found': found,
            'reached': 'yes' if found <= most else 'no'}
