"""Pictures of the benchmarks' tables, in colours that colour-blind people can tell apart."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
import matplotlib.pyplot as plt

matplotlib.use('Agg')

Row = dict[str, Any]
COLORS = ('#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#F0E442', '#000000')


@contextmanager
def picture(path: Path, title: str, panels: int) -> Iterator[list[Axes]]:
    """Give the panels of a picture, side by side, and write it at the end."""
    figure, axes = plt.subplots(1, panels, figsize=(5.5 * panels, 4.5), squeeze=False)
    yield list(axes[0])
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _unique(rows: Sequence[Row], key: str) -> list[Any]:
    return list(dict.fromkeys(row[key] for row in rows))


def bars(axes: Axes, rows: Sequence[Row], group: str, bar: str, value: str, *,
         log: bool = False) -> None:
    """Draw a cluster for each row['group'], in it one bar of row['value'] for each row['bar']."""
    groups, names = _unique(rows, group), _unique(rows, bar)
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        found = [row for row in rows if row[bar] == name and isinstance(row[value], int | float)]
        places = [groups.index(row[group]) + (number + 0.5) * width - 0.4 for row in found]
        drawn = axes.bar(places, [row[value] for row in found], width, label=str(name),
                         color=COLORS[number % len(COLORS)])
        axes.bar_label(drawn, fmt='%.3g', fontsize=6)
    axes.set_xticks(range(len(groups)), map(str, groups))
    axes.set_ylabel(value)
    axes.set_yscale('log' if log else 'linear')
    axes.margins(y=0.15)
    axes.legend(title=bar, fontsize=7, title_fontsize=7)


def steps(axes: Axes, rows: Sequence[Row], name: str, value: str) -> None:
    """Draw rows one after the other as a staircase, each step as long as row['value']."""
    end = 0.0
    for number, row in enumerate(rows):
        axes.barh(number, row[value], left=end, color=COLORS[number % len(COLORS)])
        axes.text(end + row[value], number, f' {row[value]:.3g}', va='center', fontsize=7)
        end += row[value]
    axes.set_yticks(range(len(rows)), [str(row[name]) for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel(value)
    axes.margins(x=0.15)
