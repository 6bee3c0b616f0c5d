"""The results as Markdown, fit for the README."""

from __future__ import annotations

from typing import Any

from figures import BASE, Case, Spread, at, points, ratio, spread, values

Results = dict[str, Any]  # what results.json holds


def row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [row(head), row(["---"] + ["---:"] * (len(head) - 1)), *(row(cells) for cells in rows)]


def case_table(case: Case) -> list[str]:
    columns = case["columns"]
    head = ["", *(column["label"] for column in columns)]
    if case["judge"]:
        head.append("CPU of tarn / CPU of it")
    rows = []
    for name in case["samples"]:
        cells = [f"**{name}**" if name.startswith(BASE) else name]
        for column in columns:
            measured = values(case, name, column["key"])
            cells.append(spread(measured).text(column["digits"]) if measured else "")
        if case["judge"]:
            quotient = ratio(case, name, case["judge"]) if name != BASE else None
            cells.append(quotient.text(2) if quotient else "")
        rows.append(cells)
    return table(head, rows)


def curve_table(case: Case) -> list[str]:
    column = case["columns"][0]
    names = list(case["samples"])
    grid = sorted({x for name in names for x in points(case, name)})
    rows = []
    for name in names:
        measured = [at(case, name, column["key"], x) for x in grid]
        rows.append([f"**{name}**" if name == BASE else name]
                    + [spread(one).text(column["digits"]) if one else "" for one in measured])
    return table([column["label"], *(f"{x:,.0f} {case['x']}" for x in grid)], rows)


OVERVIEW = {"1kib": "1 KiB", "10kib": "10 KiB", "100kib": "100 KiB", "1000files": "1,000 files",
            "connection": "new connection", "304": "304", "100mb": "100 MB (ms / GB)"}


def overview_table(cases: dict[str, Case]) -> list[str]:
    """CPU time of each server in each case, and in brackets tarn's share of it."""
    shown = {name: title for name, title in OVERVIEW.items() if name in cases}
    names = dict.fromkeys(name for case in shown for name in cases[case]["samples"])
    rows = []
    for name in names:
        cells = [f"**{name}**" if name == BASE else name]
        for key in shown:
            case = cases[key]
            measured = values(case, name, case["judge"])
            quotient = ratio(case, name, case["judge"])
            scale, digits = (1000, 0) if case["judge"] == "cpu_s_per_gb" else (1, 1)
            cell = f"{spread(measured).median * scale:,.{digits}f}" if measured else ""
            if quotient and name != BASE:
                cell += f" ({quotient.median:.2f})"
            cells.append(cell)
        rows.append(cells)
    return table(["us CPU / request (tarn / it)", *shown.values()], rows)


def bar_table(verdicts: list[dict[str, Any]]) -> list[str]:
    rows = []
    for verdict in verdicts:
        measured = Spread(verdict["median"], verdict["lowest"], verdict["highest"])
        digits = 0 if measured.highest >= 100 else 2
        rows.append([verdict["what"], measured.text(digits), verdict["bar"],
                     "yes" if verdict["held"] else "**no**"])
    return table(["bar", "measured", "wanted", "held"], rows)


def machine_lines(results: Results) -> list[str]:
    machine = results["machine"]
    settings = results["settings"]
    lines = [f"Machine: {machine['cpu']}, {machine['cpus']} CPUs, {machine['memory_gb']} GB, "
             f"{machine['system']}, kernel {machine['kernel']}, {machine['file_system']}, "
             f"TCP with {machine['congestion_control']}. "
             f"{settings['rounds']} rounds of {settings['seconds']} s, in which the servers take "
             "turns; the clients run on the same CPUs. Median (lowest .. highest) of the rounds; "
             "ratios are taken within each round.", ""]
    for name, peer in results["peers"].items():
        version = f" {peer['version']}" if peer["version"] else ""
        lines.append(f"- {name}{version}: {peer['note']}")
    return lines + [f"- {text}" for text in results["skipped"]]


def markdown(results: Results) -> str:
    lines = ["# What the benchmark measured", "", *machine_lines(results), "", "## Bars", "",
             *bar_table(results["bars"])]
    if any(name in OVERVIEW for name in results["cases"]):
        lines += ["", "## Overview", "", *overview_table(results["cases"])]
    for case in results["cases"].values():
        lines += ["", f"## {case['title']}", "", case["what"], "",
                  *(curve_table(case) if case["x"] else case_table(case))]
        lines += [f"\nLeft out: {note}" for note in case["notes"]]
    return "\n".join(lines) + "\n"


def bar_lines(results: Results) -> str:
    """A line for each bar, for people and programs alike: held or MISSED, number, bar, what."""
    lines = []
    for verdict in results["bars"]:
        word = "held  " if verdict["held"] else "MISSED"
        lines.append(f"{word}  {verdict['median']:>12,.3f}  {verdict['bar']:>8}  {verdict['what']}")
    return "\n".join(lines)
