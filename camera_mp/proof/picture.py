"""The picture of the proof: how many periods were still waiting for their tick, and how long."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from camera_mp.proof.window import Result
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

# Okabe and Ito's colours, which colour-blind people tell apart
_COLOURS = {'a': '#D55E00', 'b': '#E69F00', 'c': '#CC79A7', 'd': '#56B4E9', 'e': '#0072B2'}
_PERIOD = 2.0  # ms
_LEFT, _RIGHT = 0.01, 100.0  # ms
_LEAST = 1e-4  # of all periods


def draw(results: Sequence[Result], machine: Mapping[str, str], path: Path) -> None:
    """Draw a panel for each load that more than one arrangement ran under."""
    loads = [load for load in dict.fromkeys(result.load for result in results)
             if sum(result.load == load for result in results) > 1]
    rcParams.update({'font.size': 15, 'axes.titlesize': 17, 'legend.fontsize': 14})
    below_the_legend = ConstrainedLayoutEngine(rect=(0, 0, 1, 0.82))
    figure = Figure((8 * len(loads), 9), layout=below_the_legend)
    FigureCanvasAgg(figure)  # needs no screen
    panels = figure.subplots(1, len(loads), sharey=True, squeeze=False)
    for axes, load in zip(panels[0], loads, strict=True):
        _panel(axes, load, [result for result in results if result.load == load and result.loop])
    panels[0][0].set_ylabel('commands later than that, or missed for good')
    handles, labels = panels[0][0].get_legend_handles_labels()
    lines = dict(zip(labels, handles, strict=True))
    figure.legend(lines.values(), lines.keys(), loc='upper center',
                  bbox_to_anchor=(0.5, 0.95), ncols=2, frameon=False)
    figure.text(0.5, 0.965, 'How late is a 500 Hz command from Python while two cameras stream?',
                fontsize=21, fontweight='bold', ha='center', va='center')
    figure.supxlabel(', '.join(f'{key} {value}' for key, value in machine.items()), fontsize=11,
                     color='0.4')
    figure.savefig(path, dpi=110)


def _panel(axes: Axes, load: str, results: Sequence[Result]) -> None:
    for row, result in enumerate(results):
        loop, colour = result.loop, _COLOURS[result.arrangement]
        assert loop
        axes.step(*_complementary(loop['lateness_ns']['buckets'], loop['missed']), where='post',
                  linewidth=3.5, color=colour, label=f'{result.arrangement}. {result.name}')
        share = 100 * loop['missed'] / max(loop['periods'], 1)
        # below the curves: none begins as early
        axes.text(0.02, 0.24 - 0.052 * row, f'{result.arrangement}  {share:.2f} % missed',
                  color=colour, fontweight='bold', fontsize=14, transform=axes.transAxes)
    limits = [result.cyclictest for result in results if result.cyclictest]
    if limits:
        every = [bucket for limit in limits for bucket in limit['buckets']]
        # it skips periods that have gone by as the loop does, but does not count them
        skipped = sum(count * int(upper_end / 1e6 / _PERIOD) for upper_end, count in every)
        axes.step(*_complementary(every, skipped), where='post', linewidth=2.5, color='0.4',
                  linestyle='--', label='cyclictest beside each: the machine itself')
    axes.axvline(_PERIOD, color='black', linewidth=1.5)
    axes.text(_PERIOD * 1.08, 1.3 * _LEAST, 'one period', rotation=90, va='bottom',
              bbox={'color': 'white', 'pad': 1})
    axes.set(xscale='log', yscale='log', xlim=(_LEFT, _RIGHT), ylim=(_LEAST, 1.3),
             title=f'cameras: {load}', xlabel='milliseconds after the deadline')
    axes.xaxis.set_major_formatter(lambda value, _: f'{value:g}')
    axes.yaxis.set_major_formatter(lambda value, _: f'{100 * value:g} %')
    axes.grid(visible=True, which='major', color='0.88')


def _complementary(buckets: Sequence[tuple[int, int]],
                   missed: int) -> tuple[list[float], list[float]]:
    """Give ms and the share later than that; a missed period is later than any time."""
    total = left = sum(count for _, count in buckets) + missed
    x, y = [_LEFT], [1.0]
    for upper_end, count in sorted(buckets):
        left -= count
        x.append(max(upper_end / 1e6, _LEFT))
        y.append(left / total)
    return [*x, _RIGHT], [*y, y[-1]]
