# SPDX-License-Identifier: Apache-2.0
"""The plots of a run: SVG by gnuplot, its input kept beside them."""
import subprocess

from .figures import PEERS

ENGINES = ("quickjs", "duktape", "mujs", "v8")
HEAD = """set terminal svg size 760,380 font 'sans-serif,11' background 'white'
set output '{name}'
set title '{title}'
set key outside right top
set grid ytics lc rgb '#dddddd'
set style fill solid 0.9 border lc rgb '#ffffff'
"""
COLOURS = ("#555555", "#e69f00", "#8c564b", "#117733", "#999933", "#88ccee", "#cc99bb",
           "#0072b2", "#56b4e9", "#44aa99", "#d55e00")
BARS = "set style data histogram\nset style histogram clustered gap 1\nset boxwidth 0.95\n"


def value(function, *arguments):
    """For gnuplot: NaN where it was not measured."""
    try:
        return f"{function(*arguments):.6g}"
    except (KeyError, ZeroDivisionError):
        return "NaN"


def data(rows):
    return "$d << END\n" + "\n".join(" ".join(row) for row in rows) + "\nEND\n"


def columns(names, style=""):
    """Plots each column of $d under its name, the first being labels."""
    return "plot " + ", ".join(
        f"$d using {i + 2}:xtic(1) title '{name}' {style}" for i, name in enumerate(names)) + "\n"


def by_case(f, cases, subjects, figure):
    """Grouped bars: a group for each case, a bar for each subject."""
    there = [s for s in subjects if any(f.has(c, s) for c in cases)]
    rows = [[f'"{case}"', *(value(figure, case, s) for s in there)] for case in cases]
    return BARS + data(rows) + columns(there)


def throughput(f):
    return ("set logscale y\nset ylabel 'requests a second'\n" + by_case(
        f, ("echo 100 B", "echo 10 KB", "base64", "cube3d"), ("floor", *PEERS, *ENGINES),
        lambda case, s: f.median(case, s, "rate")))


def cpu(f):
    cases = ("echo 100 B", "echo 10 KB", "base64", "cube3d", "full handshake",
             "resumed handshake")
    return ("set logscale y\nset ylabel 'CPU a request, best peer = 1'\nset xtics rotate by -20\n"
            + by_case(f, cases, ("floor", *ENGINES),
                      lambda case, s: f.median(case, s) / f.best_peer(case)[1]))


def floor(f):
    cases = ("echo 100 B", "echo 10 KB", "full handshake", "resumed handshake")
    return ("set logscale y\nset ylabel 'CPU a request, C floor = 1'\n" + by_case(
        f, cases, (*PEERS, *ENGINES), lambda case, s: f.median(case, s) / f.median(case, "floor")))


def latency(f):
    percentiles = ("p1", "p10", "p25", "p50", "p75", "p90", "p95", "p99", "p99.9")
    names = [s for s in f.subjects("one connection")]
    rows = [[p[1:], *(value(f.median, "one connection", s, p) for s in names)]
            for p in percentiles]
    return ("set logscale y\nset xlabel 'percentile'\nset ylabel 'us, one connection'\n"
            + data(rows) + columns(names, "with linespoints pt 7 ps 0.5"))


def memory(f):
    case = "lambdas echo"
    names = f.subjects(case)
    text = "set xlabel 'lambdas (echo)'\nset ylabel 'MiB (PSS)'\nset yrange [0:]\n"
    for i, name in enumerate(names):
        rows = f.cases[case][name]
        text += f"$d{i} << END\n" + "\n".join(
            f"{r['lambdas']} {r['pss_kib'] / 1024:.2f}" for r in rows) + "\nEND\n"
    return text + "plot " + ", ".join(
        f"$d{i} title '{n}' with linespoints pt 7 ps 0.5" for i, n in enumerate(names)) + "\n"


def start(f):
    names = [n for n in ("floor", *PEERS, *ENGINES) if f.has("process start", n)]
    rows = [[n, value(f.median, "process start", n, "ms"),
             value(f.median, "measuring the image", n, "ms")] for n in names]
    return ("set ylabel 'ms to the first TLS response'\nset xtics rotate by -35\nset key inside left top\n"
            + BARS + data(rows)
            + columns(("process start", "measuring (CPU)")))


def lines(f):
    parts = ("interpreter", "environment", "platform")
    rows = []
    for engine in ("quickjs", "duktape", "mujs"):
        there = {r["part"]: r["left"] for r in f.results["lines"] if r["engine"] == engine}
        if there:
            rows.append([engine, *(str(there[p]) for p in parts), "0"])
    # Of the prototype the sum and the interpreter are published.
    rows.append(['"2019, Duktape"', "185392", "0", "0", str(401077 - 185392)])
    return ("set ylabel 'lines after preprocessing'\nset key below\nset style data histogram\n"
            "set style histogram rowstacked\nset boxwidth 0.6\nset yrange [0:]\n" + data(rows)
            + columns((*parts, "rest of the prototype")))


PLOTS = (("throughput", "Requests a second, 16 connections", throughput),
         ("cpu", "CPU time of a request beside the best peer", cpu),
         ("floor", "CPU time of a request beside a server in C without lambdas", floor),
         ("latency", "Latency of echo, 100 B", latency),
         ("memory", "Memory against the number of lambdas", memory),
         ("start", "Process start to the first answer", start),
         ("lines", "Lines to trust", lines))


def write(f, out):
    """Writes what can be plotted; returns (file, title) of each."""
    made = []
    for name, title, plot in PLOTS:
        script = out / f"{name}.gp"
        colours = "".join(f"set linetype {i} lc rgb '{c}'\n" for i, c in enumerate(COLOURS, 1))
        script.write_text(HEAD.format(name=f"{name}.svg", title=title) + colours + plot(f))
        done = subprocess.run(["gnuplot", script.name], cwd=out, capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode == 0:
            made.append((f"{name}.svg", title))
        else: # nothing of it was measured
            script.unlink()
            (out / f"{name}.svg").unlink(missing_ok=True)
    return made
