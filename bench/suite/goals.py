# SPDX-License-Identifier: Apache-2.0
"""The lines of issue 6's "Must show", judged over a run: what tools/show-bench prints."""
LEAN = ("quickjs", "duktape")


class Line:
    """One line: figures, each with its bound; it holds when all do."""

    def __init__(self, title):
        self.title, self.parts, self.holds = title, [], True

    def add(self, text, value, bound, at_least=False):
        """`text` has {} for the value. Both are compared as they are shown."""
        digits = 2 if abs(bound) < 100 else 0
        value = round(value, digits)
        good = value >= bound if at_least else value <= bound
        self.holds &= good
        sign = ">=" if at_least else "<="
        self.parts.append(text.format(f"{value:,.{digits}f}") + f" ({sign} {bound:,g})")

    def missing(self, why):
        self.holds = False
        self.parts.append(f"not measured ({why})")


def ratio(line, f, case, subject, base, bound, what=None):
    line.add(f"{what or subject} {{}} x {base}",
             f.median(case, subject) / f.median(case, base), bound)


def to_best(line, f, case, subject, bound):
    name, value = f.best_peer(case)
    line.add(f"{subject} {f.median(case, subject):,.1f} us = {{}} x {name}",
             f.median(case, subject) / value, bound)


def echo_small(line, f):
    to_best(line, f, "echo 100 B", "quickjs", 0.78)
    ratio(line, f, "echo 100 B", "quickjs", "floor", 1.13)


def echo_duktape(line, f):
    ratio(line, f, "echo 100 B", "duktape", "quickjs", 1.1)


def echo_large(line, f):
    to_best(line, f, "echo 10 KB", "quickjs", 0.88)


def one_connection(line, f):
    for field, bound in (("p50", 1.05), ("p99", 1.2)):
        us, floor = (f.median("one connection", n, field) for n in ("quickjs", "floor"))
        line.add(f"{field} {us:,.0f} us = {{}} x floor", us / floor, bound)
    text = "the worker asks for work before it sleeps, the floor sleeps"
    if f.has("one connection", "quickjs asleep"):
        us, floor = (f.median("one connection", n, "p50") for n in ("quickjs asleep", "floor"))
        text += f"; with --poll-us 0 p50 {us:,.0f} us = {us / floor:.2f} x floor"
    line.parts.append(text)


def compute_v8(line, f):
    for case in ("base64", "cube3d"):
        us = f.median(case, "v8 reuse")
        ratio(line, f, case, "v8 reuse", "node26", 0.85,
              f"{case} {us:,.0f} us (a fresh context: {f.median(case, 'v8'):,.0f}) =")
        name, value = f.best_peer(case)
        line.add(f"{{}} x {name}", us / value, 0.9)


def compute_lean(line, f):
    for case in ("base64", "cube3d"):
        for engine in LEAN:
            ratio(line, f, case, engine, f"{engine} bare", 1.03, f"{case}")
    ratio(line, f, "base64", "duktape bare", "duktape bare stock", 0.5, "base64 duktape")
    for case in ("base64", "cube3d"):
        ratio(line, f, case, "quickjs bare", "quickjs bare stock", 1.0, f"{case} quickjs")


def one_at_a_time(line, f, kind, peers):
    case = f"{kind} handshake, one at a time"
    if f.has(case, "quickjs"):
        us = f.median(case, "quickjs")
        line.parts.append(f"one at a time {us:,.0f} us = " + " and ".join(
            f"{us / f.median(case, peer):.2f} x {peer}" for peer in peers))


def full_handshake(line, f):
    ratio(line, f, "full handshake", "quickjs", "bun", 0.67,
          f"quickjs {f.median('full handshake', 'quickjs'):,.0f} us =")
    ratio(line, f, "full handshake", "quickjs", "njs", 0.4, "and")
    one_at_a_time(line, f, "full", ("bun", "njs"))


def resumed_handshake(line, f):
    ratio(line, f, "resumed handshake", "quickjs", "bun", 0.66,
          f"quickjs {f.median('resumed handshake', 'quickjs'):,.0f} us =")
    one_at_a_time(line, f, "resumed", ("bun",))


def first_request(line, f):
    for engine, load, later in (("quickjs", 0.4, 1), ("duktape", 0.4, 1), ("v8", 3, 3)):
        line.add(f"{engine} load {{}} ms of CPU",
                 f.median("first request", engine, "load_cpu_us") / 1e3, load)
        line.add("first byte {} ms above warm",
                 f.median("first request", engine, "later_us") / 1e3, later)


def process_start(line, f):
    for engine in LEAN:
        share = f.median("measuring the image", engine, "ms")
        whole, used = (f.median("process start", engine, x) for x in ("ms", "cpu_ms"))
        line.add(f"{engine} {{}} ms from the worker's fork, measuring {share:.1f} of "
                 f"it ({whole:.1f} from tfaasd's start, {used:.1f} of CPU)", f.median("process start", engine, "worker_ms"), 15)


def fresh(line, f):
    for engine, bound in (("quickjs", 2.5), ("duktape", 4)):
        line.add(f"{engine} {{}} us", f.median("echo 100 B", engine)
                 - f.median("echo 100 B", f"{engine} reuse"), bound)


def tenant_lean(line, f):
    for engine in LEAN:
        line.add(f"{engine} {{}} KiB", f.slope_kib("lambdas echo", engine), 64)


def tenant_v8(line, f):
    for what, case, bound in (("idle", "lambdas echo", 1), ("after compute", "lambdas cube3d", 2)):
        at_once = f.slope_kib(case, "v8") / 1024
        line.add(f"{what} {{}} MiB (before a rest {at_once:.2f})",
                 f.slope_kib(f"{case}, at rest", "v8") / 1024, bound)


def lean_against_v8(line, f):
    rows = {e: f.cases["lambdas echo"][e] for e in (*LEAN, "v8") if f.has("lambdas echo", e)}
    if "v8" not in rows or len(rows) < 2:
        raise KeyError("lambdas echo: v8 and a lean engine were not measured")
    common = min(r[-1]["lambdas"] for r in rows.values())
    at = {e: next(x["pss_kib"] for x in r if x["lambdas"] == common) for e, r in rows.items()}
    for engine in [e for e in LEAN if e in at]:
        line.add(f"{engine} {{}} % lower for {common} lambdas",
                 100 * (1 - at[engine] / at["v8"]), 90, at_least=True)


def resident(line, f):
    for when, bound in (("idle", 12), ("after load", 20)):
        # The worker that has one lambda only.
        line.add(f"quickjs {when} {{}} MiB",
                 f.median(f"memory {when}", "quickjs @0", "rss_kib") / 1024, bound)


def trusted_lines(line, f):
    rows = {r["part"]: r["left"] for r in f.results["lines"] if r["engine"] == "duktape"}
    if not rows:
        raise KeyError("no table of lines")
    line.add("sum {} lines", rows["sum"], 130000)
    line.add("ours {}", rows["ours"], 10000)


def neighbour(line, f):
    for engine in LEAN:
        alone, beside = (f.median(case, engine, "p99") for case in ("alone", "beside a spinner"))
        line.add(f"{engine} p99 {alone / 1e3:.2f} ms and {{}} ms more", (beside - alone) / 1e3, 2)


def threads(line, f):
    ratio(line, f, "threads", "2 threads", "1 thread", 1.15)
    for what, two, one in (("as many connections a thread", "2 threads @32", "1 thread"),
                           ("nginx, 2 processes against 1", "njs x 2", "njs")):
        if f.has("threads", two) and f.has("threads", one):
            value = f.median("threads", two) / f.median("threads", one)
            line.parts.append(f"{what}: {value:.2f}")


LINES = (
    ("echo 100 B, CPU a request", echo_small),
    ("the same on Duktape", echo_duktape),
    ("echo 10 KB, CPU a request", echo_large),
    ("echo 100 B at one connection", one_connection),
    ("base64 and cube3d on V8, CPU a request", compute_v8),
    ("base64 and cube3d on lean engines against the engine alone", compute_lean),
    ("full handshake and a request, CPU", full_handshake),
    ("resumed handshake and a request, CPU", resumed_handshake),
    ("a lambda never run", first_request),
    ("process start to the first TLS response", process_start),
    ("fresh state for each request against reuse", fresh),
    ("memory of each further lambda, lean", tenant_lean),
    ("the same, V8", tenant_v8),
    ("memory of the same lambdas, lean against V8", lean_against_v8),
    ("resident worker, lean", resident),
    ("trusted lines, Duktape, preprocessed", trusted_lines),
    ("p99 of echo beside a lambda that spins", neighbour),
    ("CPU a request with two threads against one", threads),
)


def judge(f):
    """The lines in the issue's order."""
    lines = []
    for title, fill in LINES:
        line = Line(title)
        try:
            fill(line, f)
        except (KeyError, ZeroDivisionError) as e:
            line.missing(e.args[0] if e.args else "no figures")
        lines.append(line)
    return lines


def show(f):
    """Prints the lines; true if all hold."""
    lines = judge(f)
    for number, line in enumerate(lines, 1):
        word = "holds" if line.holds else "falls short"
        print(f"{number}. {line.title}: {'; '.join(line.parts)}: {word}")
    return all(line.holds for line in lines)
