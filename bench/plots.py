"""The results as SVG plots: medians as bars or lines, with each round, so that the spread shows.

tarn is the coloured one, its peers are grey, the limit case is a dashed line. Colours are of the
Okabe-Ito palette, which people with any kind of colour vision can tell apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")  # before pyplot: there is no screen

from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: E402

from figures import BASE, Case, at, points, spread, values  # noqa: E402

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
GREY, DARK, PALE = "#B8BEC6", "#30363D", "#E6E9ED"
COLOURS = {BASE: BLUE, "nginx": ORANGE, "lighttpd": GREEN, "h2o": PURPLE, "limit": DARK}
MARKERS = {BASE: "o", "nginx": "s", "lighttpd": "^", "h2o": "D", "limit": ""}
LIMITS = ("limit", "limit-2")
TOO_DEAR = 6  # what costs so many times as much as tarn is cut off: it would squeeze the others

STYLE = {
    "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "font.size": 9,
    "axes.edgecolor": PALE, "axes.labelcolor": DARK, "axes.titlesize": 10.5,
    "axes.titleweight": "bold", "axes.titlecolor": DARK, "axes.titlelocation": "left",
    "axes.titlepad": 9, "axes.spines.top": False, "axes.spines.right": False, "text.color": DARK,
    "axes.axisbelow": True, "grid.color": PALE, "xtick.color": DARK, "ytick.color": DARK,
    "xtick.major.size": 0, "ytick.major.size": 0, "legend.frameon": False,
    "figure.facecolor": "white", "savefig.facecolor": "white", "svg.hashsalt": "tarn",
}


def short(value: float, _: object = None) -> str:
    """1200 as 1.2k: numbers for axes and labels."""
    for limit, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def save(figure: Any, folder: Path, name: str, title: str, below: str) -> None:
    figure.suptitle(title, x=0.012, ha="left", fontsize=14, fontweight="bold", color=DARK)
    figure.text(0.012, 0.006, below, ha="left", va="bottom", fontsize=7.5, color="#6B7480")
    figure.tight_layout(rect=(0, 0.035, 1, 0.985))
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def colour(name: str) -> str:
    return BLUE if name.startswith(BASE) else GREY


def draw_bars(axes: Axes, case: Case, key: str, title: str, unit: str,
              more_is_better: bool = False) -> None:
    """A bar for each contender, the best on top; the limit case is a line."""
    limit = values(case, "limit", key)
    ranked = sorted(((spread(values(case, name, key)).median, name) for name in case["samples"]
                     if name not in LIMITS and values(case, name, key)), reverse=more_is_better)
    if not ranked:
        axes.set_visible(False)
        return
    own = [value for value, name in ranked if name.startswith(BASE)] or [ranked[-1][0]]
    edge = min(max(own) * TOO_DEAR, max(max(values(case, name, key)) for _, name in ranked)) * 1.02
    for place, (median, name) in enumerate(ranked):
        axes.barh(place, min(median, edge), height=0.62, color=colour(name), zorder=2)
        rounds = values(case, name, key)
        if median <= edge:
            axes.scatter(rounds, [place] * len(rounds), s=9, color=DARK, alpha=0.55, linewidths=0,
                         zorder=3)
        bold = "bold" if name.startswith(BASE) else "normal"
        reach = min(max(rounds), edge) if median <= edge else edge
        arrow = " \N{RIGHTWARDS ARROW}" if median > edge else ""
        axes.text(reach + edge * 0.02, place, short(median) + arrow, va="center", fontsize=8.5,
                  fontweight=bold)
    if limit:
        axes.axvline(spread(limit).median, color=DARK, linewidth=1.1, dashes=(4, 3), zorder=4)
    axes.set_yticks(range(len(ranked)), [name for _, name in ranked])
    for label in axes.get_yticklabels():
        label.set_fontweight("bold" if label.get_text().startswith(BASE) else "normal")
    axes.invert_yaxis()
    axes.set_xlim(0, edge * 1.16)
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.xaxis.set_major_formatter(FuncFormatter(short))
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)


BAR_NOTE = ("Shorter is better. Bars are medians, dots are rounds. Dashed: the limit case, the "
            "same bytes by bare epoll, recv and send.")
REQUESTS = [("1kib", "1 KiB, keep-alive, with a log"), ("1kib-nolog", "1 KiB, without a log"),
            ("10kib", "10 KiB"), ("100kib", "100 KiB"), ("1000files", "1,000 files in turn"),
            ("connection", "A connection for each request"), ("304", "Not modified"),
            ("1kib-h2load", "1 KiB, h2load")]


def draw_requests(cases: dict[str, Case], folder: Path) -> None:
    shown = [(name, title) for name, title in REQUESTS if name in cases]
    if not shown:
        return
    rows = (len(shown) + 1) // 2
    figure, grid = plt.subplots(rows, min(2, len(shown)), figsize=(10, 0.6 + 3.0 * rows),
                                squeeze=False)
    for axes, (name, title) in zip(grid.flat, shown):
        draw_bars(axes, cases[name], "cpu_us", title, "microseconds of CPU")
    for axes in grid.flat[len(shown):]:
        axes.set_visible(False)
    save(figure, folder, "requests", "What a request costs the server", BAR_NOTE)


def draw_transfers(cases: dict[str, Case], folder: Path) -> None:
    panels = [("100mb", "cpu_s_per_gb", "100 MB download: CPU", "seconds of CPU / GB"),
              ("uploads", "cpu_us", "Upload of 2 KB: CPU", "microseconds of CPU"),
              ("100mb", "mb_per_s", "100 MB download: throughput (longer is better)", "MB / s"),
              ("uploads", "rate", "Uploads: rate (longer is better)", "documents / s")]
    panels = [panel for panel in panels if panel[0] in cases]
    if not panels:
        return
    width = len({panel[0] for panel in panels})
    figure, grid = plt.subplots(len(panels) // width, width, figsize=(10, 6.2), squeeze=False)
    for axes, (name, key, title, unit) in zip(grid.flat, panels):
        draw_bars(axes, cases[name], key, title, unit, "longer" in title)
    save(figure, folder, "transfers", "Large downloads and small uploads",
         "Bars are medians, dots are rounds. Dashed: the limit case. nginx PUT neither checks nor "
         "syncs a document.")


def draw_pairs(axes: Axes, case: Case, title: str) -> None:
    """For each server a line from p99 alone to p99 beside the others."""
    names = [name for name in case["samples"] if values(case, name, "p99_us")]
    for place, name in enumerate(names):
        alone = values(case, name, "alone_p99_us")
        beside = values(case, name, "p99_us")
        one, two = spread(alone).median / 1e3, spread(beside).median / 1e3
        axes.plot([one, two], [place, place], color=colour(name), linewidth=4, zorder=2,
                  solid_capstyle="round")
        for rounds, face in ((alone, "white"), (beside, colour(name))):
            axes.scatter([value / 1e3 for value in rounds], [place] * len(rounds), s=8,
                         color=DARK, alpha=0.4, linewidths=0, zorder=3)
            axes.scatter(spread(rounds).median / 1e3, place, s=52, facecolor=face,
                         edgecolor=DARK if face == "white" else face, linewidths=1.2, zorder=4)
        axes.annotate(f"{two / one:.2f}x", (max(one, two), place), xytext=(9, 0), va="center",
                      textcoords="offset points", fontsize=8.5,
                      fontweight="bold" if name == BASE else "normal")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.18)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(short))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_title(title)
    axes.set_xlabel("p99, milliseconds")
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)


def draw_crowds(cases: dict[str, Case], folder: Path) -> None:
    shown = [name for name in ("idle", "slow", "fairness") if name in cases]
    if not shown:
        return
    figure, grid = plt.subplots(len(shown), 1, figsize=(10, 0.6 + 2.7 * len(shown)), squeeze=False)
    for axes, name in zip(grid.flat, shown):
        draw_pairs(axes, cases[name], cases[name]["title"])
    save(figure, folder, "crowds", "Latency beside many, slow and greedy clients",
         "White: ordinary clients alone. Filled: beside the others. Large points are medians, "
         "small ones rounds. Further left is better.")


def draw_memory(cases: dict[str, Case], folder: Path) -> None:
    panels = [("start", "first_ms", "From start to the first answer", "milliseconds"),
              ("start", "resident_mb", "Resident memory, idle", "MB"),
              ("idle", "private_each", "Memory for an idle connection", "bytes")]
    panels = [panel for panel in panels if panel[0] in cases]
    if not panels:
        return
    figure, grid = plt.subplots(1, len(panels), figsize=(11, 3.6), squeeze=False)
    for axes, (name, key, title, unit) in zip(grid.flat, panels):
        draw_bars(axes, cases[name], key, title, unit)
    save(figure, folder, "footprint", "Start and memory", "Shorter is better. Bars are medians, "
         "dots are rounds.")


def draw_curve(axes: Axes, case: Case, key: str, unit: str) -> None:
    """A line of medians for each contender, with a band from the lowest to the highest round."""
    highest = 0.0
    for name in reversed(case["samples"]):  # tarn comes last, on top
        grid = points(case, name)
        rounds = [spread(at(case, name, key, x)) for x in grid]
        shade = COLOURS.get(name, GREY)
        axes.plot(grid, [one.median for one in rounds], color=shade, marker=MARKERS.get(name, "."),
                  markersize=5, linewidth=2.4 if name == BASE else 1.5, label=name,
                  linestyle="--" if name == "limit" else "-")
        axes.fill_between(grid, [one.lowest for one in rounds], [one.highest for one in rounds],
                          color=shade, alpha=0.16, linewidth=0)
        highest = max(highest, *(one.highest for one in rounds))
    axes.set_xscale("log", base=2 if case["x"] == "workers" else 10)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, highest * 1.1)
    axes.set_title(case["title"])
    axes.set_xlabel(case["x"] if case["x"] != "stored" else "stored documents")
    axes.set_ylabel(unit)
    axes.grid(axis="y")
    if len(case["samples"]) > 1:
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], ncols=2, fontsize=8.5, loc="lower right")


def draw_scale(cases: dict[str, Case], folder: Path) -> None:
    shown = [case for case in cases.values() if case["x"]]
    if not shown:
        return
    rows = (len(shown) + 1) // 2
    figure, grid = plt.subplots(rows, min(2, len(shown)), figsize=(10, 0.6 + 3.2 * rows),
                                squeeze=False)
    for axes, case in zip(grid.flat, shown):
        draw_curve(axes, case, "cpu_us", "microseconds of CPU")
    for axes in grid.flat[len(shown):]:
        axes.set_visible(False)
    save(figure, folder, "scale", "What a request costs as work grows",
         "Lines are medians, bands reach from the lowest to the highest round. Flat is good.")


def draw(results: dict[str, Any], folder: Path) -> None:
    """Writes the plots for which there are cases."""
    with plt.rc_context(STYLE):
        for one in (draw_requests, draw_transfers, draw_crowds, draw_memory, draw_scale):
            one(results["cases"], folder)
