"""script/bench: drives tarn and its peers in turn, and writes down what they cost."""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import bars
import crowds
import curves
import documents
import machine
import peers
import report
import uploads
import web
from case import Bench, Case
from processes import Failure

PROJECT = Path(__file__).resolve().parents[1]
CASES: list[Case] = web.CASES + uploads.CASES + crowds.CASES + curves.CASES


def say(text: str) -> None:
    print(text, flush=True)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures tarn and the servers that people use today, in turn, on loopback.",
        epilog="cases: " + " ".join(case.name for case in CASES) + "\npeers: "
        + " ".join(peers.PEERS) + "\n\nThe whole takes about 40 minutes. Results (results.json, "
        "table.md, *.svg)\ngo to bench/results/ after a whole run, else to build-bench/.")
    parser.add_argument("--quick", action="store_true",
                        help="a few cases in one short round, under two minutes")
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES],
                        metavar="NAME", help="only this case; repeatable")
    parser.add_argument("--peers", metavar="A,B", help="only tarn and these")
    parser.add_argument("--rounds", type=int, metavar="N", help="default 5")
    parser.add_argument("--seconds", type=int, metavar="N", help="of each measurement; default 3")
    parser.add_argument("--workers", type=int, default=20, metavar="N", help="of tarn; default 20")
    parser.add_argument("--million", action="store_true",
                        help="let the curves over files and documents end at 1,000,000")
    parser.add_argument("--output", type=Path, metavar="DIR", help="where the results go")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), metavar="DIR",
                        help="where the served and stored files are meanwhile; default /var/tmp")
    parser.add_argument("--redraw", action="store_true",
                        help="measure nothing; draw the results that are there anew")
    parser.add_argument("--programs", type=Path, default=PROJECT / "build-release",
                        metavar="DIR", help="a build with server, limit, crowd and flood")
    options = parser.parse_args()
    if options.rounds is None:
        options.rounds = 1 if options.quick else 5
    if options.seconds is None:
        options.seconds = 1 if options.quick else 3
    if options.rounds < 1 or options.seconds < 1 or options.workers < 1:
        parser.error("rounds, seconds and workers are 1 or more")
    return options


def choose_peers(options: argparse.Namespace) -> tuple[list[str], list[str]]:
    """The names that take part, and what is said of those that cannot."""
    wanted = list(peers.PEERS)
    if options.peers:
        wanted = ["tarn", "limit", *options.peers.split(",")]
        unknown = [name for name in wanted if name not in peers.PEERS]
        if unknown:
            raise SystemExit(f"script/bench: no such peer: {' '.join(unknown)}")
    elif options.quick:
        wanted = ["tarn", "limit", "nginx", "nginx-buffered", "lighttpd", "h2o"]
    chosen = [name for name in wanted if peers.is_installed(peers.PEERS[name])]
    skipped = [f"{name}: not installed, left out" for name in wanted if name not in chosen]
    return chosen, skipped


def choose_cases(options: argparse.Namespace) -> list[Case]:
    if options.case:
        return [case for case in CASES if case.name in options.case]
    return [case for case in CASES if case.quick or not options.quick]


def output_folder(options: argparse.Namespace) -> Path:
    whole = not (options.quick or options.case or options.peers)
    folder: Path = options.output or PROJECT / ("bench/results" if whole else "build-bench")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    chosen, skipped = choose_peers(options)
    bench = Bench(folder, options.programs.resolve(), chosen, options.rounds, options.seconds,
                  options.workers, options.quick, options.million, say)
    results: dict[str, Any] = {
        "machine": machine.describe(folder),
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
        "settings": {"rounds": options.rounds, "seconds": options.seconds,
                     "workers": options.workers},
        "peers": {name: peers.describe(name, options.workers) for name in chosen},
        "skipped": skipped,
        "cases": {},
    }
    documents.make_root(bench.root)
    for case in choose_cases(options):
        say(f"{case.name}:")
        try:
            results["cases"][case.name] = asdict(case.run(bench))
        except (Failure, OSError) as failure:
            results["skipped"].append(f"{case.name}: {failure}")
            say(f"  left out: {failure}")
    return results


def write(results: dict[str, Any], output: Path) -> None:
    results["bars"] = bars.judge(results["cases"])
    (output / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (output / "table.md").write_text(report.markdown(results))
    try:
        import plots  # needs matplotlib; the numbers do not
    except ImportError as error:
        say(f"no plots: {error}")
    else:
        plots.draw(results, output)


def main() -> None:
    options = read_arguments()
    output = output_folder(options)
    if options.redraw:
        write(json.loads((output / "results.json").read_text()), output)
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("script/bench: terminated"))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell ignores it
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    folder = Path(tempfile.mkdtemp(prefix="tarn-bench-", dir=options.folder))
    folder.chmod(0o755)  # workers of the peers are other users
    try:
        results = measure(options, folder)
    except KeyboardInterrupt:
        sys.exit("script/bench: interrupted")
    finally:
        shutil.rmtree(folder)
    write(results, output)
    say("")
    say((output / "table.md").read_text())
    say(report.bar_lines(results))


if __name__ == "__main__":
    main()
