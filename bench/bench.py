"""Measures convanim's promises and prints a table; the exit code is 1 if a promise is not kept.

The load of the machine changes every time, so runs are not compared with each other: each figure compares two programs,
run in turns (ours, theirs, ours, theirs ...), by the best of each. This process imports only the standard library: a
child's peak memory, as Linux counts it, starts with its parent's size.

Usage: python bench/bench.py [--quick]
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
PAGE = "--width 1000 --height 500"
REFERENCE = "transposed --input 3x3 --kernel 3x3 --stride 2 --padding 1"
LAYER = f"{REFERENCE} {PAGE}"
STEP = f"{LAYER} --motion step"
BASELINE = (HERE / "funcanimation.py",)
#: On a busy machine the threads of a matrix product wait for each other: one took 40 ms, two took 400 ms.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")
#: Long animations whose cells are too small for numbers, and are shaded by value.
SHADED = {
    "shaded, a window slides": "conv --input 48x48 --kernel 3x3 --motion step",
    "shaded, stamps are added": (
        "transposed --input 16x16 --kernel 3x3 --stride 2 --padding 1 --view overlap-add --motion step"
    ),
}
#: Animations at 25 fps, most of whose images are in motion.
SMOOTH = {
    "zeros inserted": REFERENCE,
    "stamps added": f"{REFERENCE} --view overlap-add",
    "stamps added, dark": f"{REFERENCE} --view overlap-add --theme dark",
    "a window slides": "conv --input 5x5 --kernel 3x3 --padding 1",
    "pooling": "pool --mode max --input 6x6 --kernel 2",
    "row": "conv --input 9 --kernel 3 --stride 2",
    "isometric": "conv --input 5x5 --kernel 3x3 --layout isometric",
    "isometric, zeros inserted": f"{REFERENCE} --layout isometric",
}
#: What a page does after its player: it shows every frame once, then again, and puts the time into its title.
_TIMED = """
const player = document.querySelector("convanim-player");
const all = () => { for (let i = 0; i <= player.last; i++) player.go(i); };
all();
const start = performance.now();
all();
document.title = `${(performance.now() - start) / (player.last + 1)} of ${player.last + 1}`;
"""


class Row(NamedTuple):
    """A line of the table; `ok` is None without a promise."""

    figure: str
    asked: str
    measured: str
    ok: bool | None


class Run(NamedTuple):
    """The resources of a child process: wall and CPU seconds, peak MB, and its output."""

    wall: float
    cpu: float
    peak: float
    printed: str


def run(*arguments: object, **more: str) -> Run:
    """Run Python on this checkout with additional environment variables; the exit code must be 0."""
    # An installed package has bytecode: without it, each child would compile convanim again, but not the baseline.
    environment = os.environ | {"PYTHONPATH": str(HERE.parent), "PYTHONDONTWRITEBYTECODE": ""} | more
    command = [sys.executable, *map(str, arguments)]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        printed = child.stdout.read() if child.stdout else ""
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)  # otherwise it would be waited for again
    if child.returncode:
        sys.exit(f"exit code {child.returncode} of {' '.join(command)}")
    peak = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)  # bytes there, KB elsewhere
    return Run(wall, used.ru_utime + used.ru_stime, peak, printed)


def ours(command: str, file: Path) -> Run:
    return run("-m", "convanim", *command.split(), "-o", file)


def frames(done: Run) -> int:
    """The number of frames, from the program's closing line."""
    match = re.search(r"(\d+) frames", done.printed)
    assert match, done.printed
    return int(match[1])


def in_turns(times: int, *programs: Callable[[], Run]) -> list[Run]:
    """Run the programs in turns; return the minimum of every figure for each, and its output."""
    for program in programs:  # a warm-up for bytecode, font lists and cold files
        program()
    rounds = [[program() for program in programs] for _ in range(times)]
    return [Run(*map(min, zip(*runs, strict=True))) for runs in zip(*rounds, strict=True)]


# The figures.


def against_the_baseline(folder: Path, times: int) -> Iterator[Row]:
    """The reference scene as a whole process: time, memory, bytes, without motion, as the baseline has none."""
    files = folder / "ours.gif", folder / "baseline.gif"
    a, b = in_turns(times, lambda: ours(STEP, files[0]), lambda: run(*BASELINE, files[1]))
    ratio = b.wall / a.wall
    yield Row("whole process, baseline / ours", "≥ 8", f"{ratio:.1f} ({b.wall:.2f} s / {a.wall:.2f} s)", ratio >= 8)
    yield Row("peak memory, ours and baseline", "below", f"{a.peak:.0f} MB and {b.peak:.0f} MB", a.peak < b.peak)

    moving, every = folder / "moving.gif", folder / "all.gif"
    (c,) = in_turns(times, lambda: ours(LAYER, moving))
    told = f"{c.wall:.2f} s, {frames(c)} frames, {moving.stat().st_size / 1e3:.0f} KB"
    yield Row("the same with motion, the default", "", told, None)

    # All frames: ours has those of the opening, two for each of the 25 placements, and the result.
    theirs = files[1].stat().st_size
    for name, count, file in (
        ("all of them at rest", frames(ours(f"{STEP} --select all", every)), every),
        ("with motion", frames(c), moving),
    ):
        size = file.stat().st_size
        share = size / count / (theirs / 25)
        told = f"{share:.2f} ({size / count / 1e3:.1f} KB of {count} frames, {theirs / 25e3:.1f} KB of 25)"
        yield Row(f"bytes a frame, {name}, ours / baseline", "≤ 0.25", told, share <= 0.25)
    whole = files[0].stat().st_size
    yield Row("bytes without motion, 1000x500", "< 200 KB", f"{whole / 1e3:.0f} KB", whole < 200_000)
    ours(f"{LAYER} --select step:1..25", folder / "25.gif")
    few = (folder / "25.gif").stat().st_size
    told = f"{whole / 1e3:.0f} KB with all phases, {few / 1e3:.0f} KB as 25 frames, baseline {theirs / 1e3:.0f} KB"
    yield Row("bytes of the same 25 placements", "", told, None)


def one_more_frame(folder: Path, times: int) -> Iterator[Row]:
    """The cost of a frame within one process: the difference between a long and a short animation.

    The ratio is that of wall time. Ours encodes in a second thread while the first one draws, so the ratio of CPU time,
    which the load of the machine changes less, counts both threads and is smaller.
    """
    told = json.loads(run(HERE / "bench.py", "--inside", "slopes", folder, times).printed)
    theirs, theirs_cpu, _ = told.pop("baseline")
    for name, (mine, cpu, count) in told.items():
        busy = f"{theirs_cpu / cpu:.0f} in CPU time" if cpu > 0 else "too quick for CPU time"
        measured = f"{theirs / mine:.0f} ({theirs:.1f} ms / {mine:.2f} ms, of {count}; {busy})"
        least = 50 if name.startswith(("smooth", "isometric")) else 80 if name.startswith("shaded") else 100
        yield Row(f"one more frame, {name}, baseline / ours", f"≥ {least}", measured, theirs / mine >= least)


def memory_of_many_frames(folder: Path, _: int) -> Iterator[Row]:
    few = ours("conv --input 7x7 --kernel 3x3 --select 0..24", folder / "few.gif")
    many = ours("conv --input 96x96 --kernel 3x3 --seconds-per-step 0.05", folder / "many.gif")
    more = many.peak - few.peak
    measured = f"{more:+.1f} MB ({few.peak:.0f} MB at {frames(few)}, {many.peak:.0f} MB at {frames(many):,} frames)"
    ok = more <= 20 and frames(many) >= 8836 and frames(few) == 25
    yield Row("peak memory, 8,836 placements or 25 frames", "within 20 MB", measured, ok)


def formats(folder: Path, _: int) -> Iterator[Row]:
    """The reference scene on a default page in every format, against the GIF."""
    for motion in ("step", "smooth"):
        gif = 0
        for suffix in ("gif", "webp", "apng", "mp4", "webm", *(("png", "txt", "json") if motion == "step" else ())):
            done = ours(f"{REFERENCE} --motion {motion}", file := folder / f"up.{suffix}")
            size = file.stat().st_size
            gif = gif or size
            ok = size < gif if suffix in ("webp", "apng") else None
            measured = f"{size / 1e3:.0f} KB, {done.cpu:.1f} s of CPU time"
            yield Row(f"{motion}, 1280x720, .{suffix}", "" if ok is None else "below the GIF", measured, ok)


def pages_and_slides(folder: Path, times: int) -> Iterator[Row]:
    """The reference scene in the formats for pages, slides and paper, against the GIF."""
    cpu = json.loads(run(HERE / "bench.py", "--inside", "kinds", folder, times).printed)
    size = {name: (folder / f"up.{name}").stat().st_size for name in cpu}
    for name in list(cpu)[1:]:
        ratio = cpu[name] / cpu["gif"]
        asked = "< 0.4" if name in {"html", "svg"} else ""
        told = f"{ratio:.2f} ({1e3 * cpu[name]:.0f} ms / {1e3 * cpu['gif']:.0f} ms)"
        yield Row(f"CPU time within a process, .{name} / .gif", asked, told, ratio < 0.4 if asked else None)
    yield Row("bytes of the player, .html", "≤ 120 KB", f"{size['html'] / 1e3:.0f} KB", size["html"] <= 120_000)
    packed = len(gzip.compress((folder / "up.svg").read_bytes()))
    told = f"{packed / 1e3:.0f} KB of {size['svg'] / 1e3:.0f} KB, .gif {size['gif'] / 1e3:.0f} KB"
    yield Row("bytes of the animated .svg, compressed", "below the GIF", told, packed < size["gif"])
    yield Row("bytes of one page, .pdf", "< 10 KB", f"{size['pdf'] / 1e3:.1f} KB", size["pdf"] < 10_000)
    if "pptx" in size:
        yield Row("bytes of a presentation, .pptx", "", f"{size['pptx'] / 1e3:.0f} KB", None)
    varied = "--kernel 1..5 --stride 1..5 --padding 0..3"  # 100 combinations
    page = folder / "explore.html"
    done = run("-m", "convanim", "sweep", *f"transposed --input 3 {varied}".split(), "-o", page)
    told = f"{page.stat().st_size / 1e6:.2f} MB, {done.cpu:.1f} s of CPU time"
    yield Row("an explorer of 100 combinations", "< 1.5 MB", told, page.stat().st_size < 1_500_000)


def steps_of_the_player(folder: Path, times: int) -> Iterator[Row]:
    """The player's script for a step of a 28x28 layer, in Chromium: from the call to the changed page."""
    figure, asked = "script per step of the player, 28x28", "< 4 ms"
    browser = shutil.which("chromium")
    if browser is None:
        yield Row(figure, asked, "skipped: chromium is not installed", None)
        return
    page = folder / "player.html"
    ours("conv --input 28x28 --kernel 3x3", page)
    page.write_text(page.read_text("utf-8") + f"<script>{_TIMED}</script>", "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    found: list[tuple[float, int]] = []
    for _ in range(times):
        told = subprocess.run([browser, *options, page.as_uri()], capture_output=True, text=True, check=True).stdout
        spent, steps = re.findall(r"<title>([\d.]+) of (\d+)</title>", told)[0]
        found.append((float(spent), int(steps)))
    least, steps = min(found)
    yield Row(figure, asked, f"{least:.2f} ms, mean of {steps}", least < 4)


def memory_of_formats(folder: Path, _: int) -> Iterator[Row]:
    """The additional memory of 2,000 frames compared with 50, on a page of 1280x720 px."""
    for suffix in ("webp", "apng", "mp4"):
        scene = "conv --input 48x48 --kernel 3x3 --seconds-per-step 0.08"
        few, many = (ours(f"{scene} --select 0..{n - 1}", folder / f"a.{suffix}") for n in (50, 2000))
        more = many.peak - few.peak
        yield Row(f"peak memory, 2,000 frames or 50, .{suffix}", "within 30 MB", f"{more:+.1f} MB", more <= 30)


def left_to_save(folder: Path, _: int) -> Iterator[Row]:
    tool = shutil.which("gifsicle")
    scenes = {"light": STEP, "dark": f"{STEP} --theme dark", **SHADED}
    scenes |= {f"smooth, {name}": f"{command} --motion smooth" for name, command in SMOOTH.items()}
    for name, command in scenes.items():
        figure = f"gifsicle -O3 saves, {name}"
        if not tool:
            yield Row(figure, "< 1 %", "skipped: gifsicle is not installed", None)
            continue
        file, smaller = folder / "ours.gif", folder / "smaller.gif"
        ours(command, file)
        subprocess.run([tool, "-O3", file, "-o", smaller], check=True, stderr=subprocess.DEVNULL)
        before, after = file.stat().st_size, smaller.stat().st_size
        saved = 100 * (before - after) / before
        yield Row(figure, "< 1 %", f"{saved:.1f} % of {before / 1e3:.0f} KB", saved < 1)


def help_is_quick(_: Path, times: int) -> Iterator[Row]:
    loaded = run(HERE / "bench.py", "--inside", "help").printed.strip()
    row = _beside_its_imports(times, "click", 2.5, "--help")
    measured = f"{row.measured}; matplotlib {loaded}"
    yield Row(row.figure, f"{row.asked}, no matplotlib", measured, bool(row.ok) and loaded == "not loaded")


def explanation_is_quick(_: Path, times: int) -> Iterator[Row]:
    yield _beside_its_imports(times, "numpy, click", 2, "explain", *REFERENCE.split())


def _beside_its_imports(times: int, libraries: str, most: float, *command: str) -> Row:
    """The CPU time of a command that draws nothing, beside that of importing the libraries that it uses.

    The command keeps NumPy to one thread, so the process that only imports has one, too.
    """
    programs = ("-m", "convanim", *command), ("-c", f"import {libraries}")
    a, b = in_turns(2 * times, *(partial(run, *program, **ONE_THREAD) for program in programs))
    figure = f"convanim {command[0]}: CPU time, ours / import {libraries}"
    return Row(figure, f"≤ {most}", f"{a.cpu / b.cpu:.2f} ({a.cpu:.2f} s / {b.cpu:.2f} s)", a.cpu <= most * b.cpu)


def large_trace(_: Path, times: int) -> Iterator[Row]:
    runs = [run(HERE / "bench.py", "--inside", "trace") for _ in range(times)]
    traced, checked = map(min, zip(*(json.loads(r.printed) for r in runs), strict=True))
    peak = max(r.peak for r in runs)
    measured = f"{traced:.2f} s ({checked:.2f} s with its checks), {peak:.0f} MB"
    yield Row("trace of a 1024x1024 conv, kernel 5x5", "< 2 s, < 300 MB", measured, checked < 2 and peak < 300)


def first_layer(_: Path, times: int) -> Iterator[Row]:
    """A realistic layer against plain NumPy, in time and in memory beyond that of the imports."""
    script = HERE / "first_layer.py"
    for dtype in ("float64", "float32"):
        name = f"first layer 224x224x3, 64 filters 7x7, {dtype}"
        mine, theirs = json.loads(run(script, "time", dtype, 5 * times, **ONE_THREAD).printed)
        measured = f"{mine / theirs:.1f} ({1e3 * mine:.1f} ms / {1e3 * theirs:.1f} ms)"
        yield Row(f"{name}: time, trace / plain NumPy", "≤ 5", measured, mine <= 5 * theirs)
        kinds = ("trace", "numpy", "nothing")
        done = in_turns(2, *(partial(run, script, kind, dtype, **ONE_THREAD) for kind in kinds))
        a, b, imports = (each.peak for each in done)
        measured = f"{(a - imports) / (b - imports):.1f} ({a - imports:.0f} MB / {b - imports:.0f} MB)"
        yield Row(f"{name}: memory, trace / plain NumPy", "≤ 3", measured, a - imports <= 3 * (b - imports))


FIGURES = (
    against_the_baseline,
    one_more_frame,
    memory_of_many_frames,
    formats,
    pages_and_slides,
    steps_of_the_player,
    memory_of_formats,
    left_to_save,
    help_is_quick,
    explanation_is_quick,
    large_trace,
    first_layer,
)


# Code that runs in a child process: it imports heavy libraries.


def slopes(folder: str, times: str) -> None:
    """Print the milliseconds per frame, of wall and of CPU time, and the number of frames, of the baseline and of ours.

    A quick run repeats each animation less often, and makes the long ones shorter.
    """
    import numpy as np
    from funcanimation import animate

    from convanim import Conv, ConvTranspose

    def draw(side: int, repeats: int, **options: str) -> int:
        x, weight = (np.arange(1, n * n + 1).reshape(n, n) for n in (side, 3))
        trace = ConvTranspose(kernel_size=3, stride=2, padding=1).trace(x, weight)
        every = ",".join(["all"] * repeats)  # in one Animation, whose sprites are cached
        animation = trace.animate(width=1000, height=500, select=every, **options)
        return animation.save(f"{folder}/ours.gif").frames

    def baseline(repeats: int) -> int:
        return animate(f"{folder}/baseline.gif", repeats)

    def shade(repeats: int) -> int:
        x, weight = (np.arange(1, n * n + 1).reshape(n, n) for n in (60, 3))
        every = ",".join(["0..40"] * repeats)
        animation = Conv(kernel_size=3).trace(x, weight).animate(width=1000, height=500, select=every)
        return animation.save(f"{folder}/ours.gif").frames

    quick = int(times) < 6
    rounds, baselines, long = (2, 2, 3) if quick else (int(times), 3, 11)
    smooth, stamped, tilted = {"motion": "smooth"}, {"view": "overlap-add"}, {"layout": "isometric"}
    pairs: dict[str, tuple[Callable[[], int], Callable[[], int]]] = {
        "baseline": (lambda: baseline(1), lambda: baseline(baselines)),
        "the scene over and over": (lambda: draw(3, 1), lambda: draw(3, long)),
        "a 6x6 input instead (trace, layout and all)": (lambda: draw(3, 1), lambda: draw(6, 1)),
        "smooth, zeros inserted": (lambda: draw(3, 1, **smooth), lambda: draw(3, long, **smooth)),
        "smooth, stamps added": (lambda: draw(3, 1, **smooth, **stamped), lambda: draw(3, long, **smooth, **stamped)),
        "isometric, over and over": (lambda: draw(3, 1, **tilted), lambda: draw(3, long, **tilted)),
        "isometric smooth, zeros inserted": (
            lambda: draw(3, 1, **tilted, **smooth),
            lambda: draw(3, long, **tilted, **smooth),
        ),
        "isometric smooth, stamps added": (
            lambda: draw(3, 1, **tilted, **smooth, **stamped),
            lambda: draw(3, long, **tilted, **smooth, **stamped),
        ),
        "shaded, a 60x60 input": (lambda: shade(1), lambda: shade(long)),
        "isometric, a 6x6 input instead": (lambda: draw(3, 1, **tilted), lambda: draw(6, 1, **tilted)),
    }
    baseline(1), draw(3, 1), draw(6, 1), draw(3, 1, **tilted), draw(6, 1, **tilted)  # warm
    seconds: dict[str, list[tuple[float, ...]]] = {name: [] for name in pairs}
    counts: dict[str, int] = {}
    for _ in range(rounds):
        for name, (few, many) in pairs.items():
            # Ours is so short that one hiccup decides; more frames take longer.
            for _ in range(1 if quick or name == "baseline" else 3 if "smooth" in name else 8):
                clocks = [(time.perf_counter(), time.process_time())]
                fewer = few()
                clocks.append((time.perf_counter(), time.process_time()))
                counts[name] = many() - fewer
                clocks.append((time.perf_counter(), time.process_time()))
                seconds[name].append(
                    tuple(b - a for one, two in pairwise(clocks) for a, b in zip(one, two, strict=True))
                )
    told = {}
    for name, measured in seconds.items():
        wall, cpu, longer, longer_cpu = map(min, zip(*measured, strict=True))
        told[name] = (*(1e3 * more / counts[name] for more in (longer - wall, longer_cpu - cpu)), counts[name])
    print(json.dumps(told))


def kinds(folder: str, times: str) -> None:
    """Print the CPU seconds of the reference scene in several formats, without the start of the program."""
    import numpy as np

    from convanim import ConvTranspose

    def spent(name: str) -> float:
        x = np.arange(1, 10).reshape(3, 3)
        start = time.process_time()
        trace = ConvTranspose(kernel_size=3, stride=2, padding=1).trace(x, x)
        trace.animate(animated=name == "svg").save(f"{folder}/up.{name}")
        return time.process_time() - start

    names = ["gif", "html", "svg", "pdf", *["pptx"] * (find_spec("pptx") is not None)]
    for name in names:
        spent(name)  # warm
    print(json.dumps({name: min(spent(name) for _ in range(3 * int(times))) for name in names}))


def loaded_by_help() -> None:
    from convanim.cli.commands import main

    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.suppress(SystemExit):
        main(["--help"])
    print("loaded" if "matplotlib" in sys.modules else "not loaded")


def trace() -> None:
    """Print the seconds until the trace has its last step, and until it is verified."""
    import numpy as np

    from convanim import Conv

    x, weight = np.arange(1024 * 1024).reshape(1024, 1024) % 251, np.arange(25).reshape(5, 5)
    start = time.perf_counter()
    traced = Conv(kernel_size=5).trace(x, weight)
    assert len(traced) == 1020 * 1020
    assert traced[len(traced) - 1].writes.tolist() == [[0, 1019, 1019]]
    made = time.perf_counter()
    traced.verify()
    print(json.dumps([made - start, time.perf_counter() - start]))


INSIDE: dict[str, Callable[..., None]] = {"slopes": slopes, "kinds": kinds, "help": loaded_by_help, "trace": trace}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter repeats")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[f.__name__ for f in FIGURES], help="some figures")
    parser.add_argument("--inside", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        INSIDE[options.inside[0]](*options.inside[1:])
        return 0
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "matplotlib", "Pillow"))
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    print(f"{machine}; Python {platform.python_version()}, {packages}\n")
    print("| figure | asked for | measured | ok |\n|---|---|---|---|", flush=True)
    missed = 0
    with tempfile.TemporaryDirectory(prefix="convanim-bench-") as folder:
        for figure in (f for f in FIGURES if f.__name__ in options.only):
            for row in figure(Path(folder), 3 if options.quick else 6):
                verdict = "" if row.ok is None else "yes" if row.ok else "**no**"
                print(f"| {row.figure} | {row.asked} | {row.measured} | {verdict} |", flush=True)
                missed += row.ok is False
    print(f"\n{missed} missed" if missed else "\nall kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
