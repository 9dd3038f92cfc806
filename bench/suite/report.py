# SPDX-License-Identifier: Apache-2.0
"""The report of a run in Markdown, with the plots beside it. Every figure is a median over the
rounds, with the lowest and the highest in brackets."""
from . import goals, plots
from .figures import PEERS, Figures

ENGINES = ("quickjs", "duktape", "mujs", "v8")
CPU_CASES = ("echo 100 B", "echo 10 KB", "base64", "cube3d", "full handshake",
             "resumed handshake")
SWAP_CYCLES = 40000 # published: EWB and ELDU, with their faults
CYCLES_A_SECOND = 2.6e9
PAGE = 4096
EPC = (("93 MiB", 93 << 20), ("8 GiB", 8 << 30))


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def cell(function, *arguments, **options):
    """A figure, or a dash where it was not measured."""
    try:
        return function(*arguments, **options)
    except (KeyError, ZeroDivisionError):
        return "-"


def header(results):
    m, s = results["machine"], results["settings"]
    versions = "; ".join(f"{n} {v}" for n, v in results["versions"].items() if v)
    text = (f"Commit {results['commit']}, {results['date']}, {results['seconds']} s. {m['cpu']}, "
            f"{m['cores']} cores, {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}; load "
            f"average at the start {m['load_at_start']:.1f}.\n"
            f"{s['rounds']} rounds of {s['seconds']} s, {s['connections']} connections, servers "
            f"on core 0, load on core 1, TLS 1.3 with AES-128-GCM and X25519, P-256.\n"
            f"{versions}.\n")
    if s["quick"]:
        text += "\n**A quick run** (`BENCH_QUICK=1`): few and short rounds, fewer lambdas.\n"
    if m["load_at_start"] > 1:
        text += "\n**The machine was busy** when the run began: expect less of times than of CPU.\n"
    for name, why in results["missing"].items():
        text += f"\nNot here: {name} ({why}).\n"
    for note in results["notes"]:
        text += f"\nNote: {note}.\n"
    return text


def goal_table(f):
    rows = [(str(n), line.title, "; ".join(line.parts), "holds" if line.holds else "falls short")
            for n, line in enumerate(goals.judge(f), 1)]
    return "## Against the goals\n\n" + table(("", "what", "figure (bound)", ""), rows)


def cpu_table(f):
    order = ["floor", *PEERS, *ENGINES]
    rows = [[name, *(cell(f.spread, case, name, digits=1) for case in CPU_CASES)]
            for name in order if any(f.has(case, name) for case in CPU_CASES)]
    rows.append(["best peer", *(cell(lambda c: f.best_peer(c)[0], c) for c in CPU_CASES)])

    def relative(engine, case):
        return f"{f.median(case, engine) / f.best_peer(case)[1]:.2f}"
    for engine in ENGINES:
        rows.append([f"{engine} / best peer", *(cell(relative, engine, c) for c in CPU_CASES)])
    return ("## CPU time of a request, us\n\nOf the server's processes with all their threads; "
            "tfaasd and the engine's worker for tfaas, transitions at 10,000 cycles, a fresh heap "
            "for each request.\n\n" + table(("", *CPU_CASES), rows))


def rate_table(f):
    rows = []
    for name in ["floor", *PEERS, *ENGINES, *(f"{e} asleep" for e in ENGINES)]:
        row = [cell(f.spread, case, name, "rate", digits=0)
               for case in ("echo 100 B", "echo 10 KB", "base64", "cube3d")]
        row += [cell(f.spread, "one connection", name, p, digits=0) for p in ("p50", "p99")]
        row.append(cell(f.spread, "one connection", name))
        if any(c != "-" for c in row):
            rows.append([name, *row])
    return ("## Requests a second, and latency at one connection in us\n\nThe load generator's "
            "core is the limit of the fast ones: CPU time above tells more. At one connection a "
            "worker of tfaas asks for work for up to 100 us before it sleeps (`--poll-us`); the "
            "others sleep at once, and so does what is called asleep. The last column is CPU us a "
            "request there.\n\n"
            + table(("", "echo 100 B", "echo 10 KB", "base64", "cube3d", "p50", "p99", "its CPU"),
                    rows))


def handshake_table(f):
    kinds = [f"{kind} handshake" for kind in ("full", "resumed")]
    columns = [(case, field) for kind in kinds for case in (kind, f"{kind}, one at a time")
               for field in ("cpu_us", "p50")]
    rows = [[name, *(cell(f.spread, case, name, field, digits=0) for case, field in columns)]
            for name in ("floor", *PEERS, *ENGINES) if f.has(kinds[0], name)]
    return ("## Handshakes, with one at a time beside, us\n\nCPU of a connection with its "
            "request, and from its ClientHello to the first byte of the answer (p50). Where they "
            "come one at a time a server sleeps and wakes three times in each.\n\n" + table(
                ("", "full", "p50", "one at a time", "p50", "resumed", "p50", "one at a time",
                 "p50"), rows))


def transition_table(f):
    rows = []
    for engine in ("quickjs", "duktape"):
        row = [engine]
        for name in (f"{engine} @0", engine, f"{engine} @14000"):
            row.append(cell(f.spread, "echo 100 B", name))
        row.append(cell(f.spread, "echo 100 B", engine, "entries", digits=3))
        row.append(cell(f.spread, "one connection", engine, "entries", digits=2))
        row.append(cell(f.spread, "echo 100 B", f"{engine} reuse"))
        rows.append(row)
    return ("## Transitions and fresh heaps, echo of 100 B, CPU us a request\n\n" + table(
        ("", "0 cycles", "10,000", "14,000", "EENTER/request", "at one connection",
         "heap reused (10,000)"), rows))


def bare_table(f):
    rows = []
    for case in ("base64", "cube3d"):
        for engine in ("quickjs", "duktape"):
            rows.append([f"{case}, {engine}",
                         *(cell(f.spread, case, n, digits=0) for n in
                           (engine, f"{engine} bare", f"{engine} bare stock"))])
    return ("## Engines alone, CPU us a run\n\nOur build of the engine and upstream's, natively, "
            "warm, without TLS, HTTP, limits and fresh heaps.\n\n"
            + table(("", "in tfaas", "alone, ours", "alone, stock"), rows))


def start_table(f):
    rows = []
    for name in ["floor", *PEERS, *ENGINES]:
        rows.append([name, cell(f.spread, "process start", name, "ms"),
                     cell(f.spread, "process start", name, "cpu_ms"),
                     cell(f.spread, "process start", name, "worker_ms"),
                     cell(f.spread, "measuring the image", name, "ms"),
                     cell(f.spread, "first request", name, "load_cpu_us", 1e-3, 2),
                     cell(f.spread, "first request", name, "later_us", 1e-3, 2)])
    return ("## Starts, ms\n\nProcess start to the first byte of the first answer, of tfaas for "
            "tfaasd, its worker and a lambda from the store, without transition cost; CPU time of "
            "all of them until then; from the worker's fork on; what measuring the image takes of it "
            "(`tfaas image measure`). A lambda never run (`hello`): "
            "CPU of its first request beyond a later one's, and how much later its first byte "
            "comes after the ClientHello.\n\n"
            + table(("", "process start", "its CPU", "from the worker's fork",
                     "measuring, CPU", "load, CPU", "first byte later"), rows))


def memory_table(f):
    rows = []
    for name in ["floor", *PEERS, "quickjs @0", "duktape @0", "mujs", "v8"]:
        rows.append([name.replace(" @0", ""),
                     *(cell(f.spread, f"memory {when}", name, "rss_kib", 1 / 1024)
                       for when in ("idle", "after load")),
                     *(cell(lambda c, n: f"{f.slope_kib(c, n):,.0f}", case, name.split(" @")[0])
                       for case in ("lambdas echo", "lambdas echo, at rest",
                                    "lambdas cube3d", "lambdas cube3d, at rest"))])
    return ("## Memory\n\nResident MiB with echo, of tfaas the engine's worker; proportional KiB "
            "(PSS) of each further lambda: echo asked once, cube3d after it has computed; of V8's "
            "also after 10 s without a request.\n\n"
            + table(("", "idle, MiB", "after load, MiB", "further echo, KiB", "at rest",
                     "further cube3d, KiB", "at rest"), rows))


def page_table(f):
    rows = []
    for engine in ("quickjs", "duktape", "mujs"):
        try:
            kept, connection, used, added = (f.median("pages", engine, x) for x in
                                             ("kept_open", "connection", "committed", "added"))
        except KeyError:
            continue
        row = [engine, *(f"{n:,.0f}" for n in (kept, connection, used, added))]
        for _, size in EPC:
            room = size - used * PAGE
            row.append(cell(lambda e, r: f"{r / 1024 / f.slope_kib('lambdas echo', e):,.0f}",
                            engine, room) if room > 0 else "none")
            evicted = max(0, added - size // PAGE)
            row.append(f"{evicted * SWAP_CYCLES / CYCLES_A_SECOND:.1f} s" if evicted else "0")
        row.append(f"{connection * SWAP_CYCLES / 1e6:.1f} M")
        rows.append(row)
    if not rows:
        return ""
    head = ["", "request", "connection", "in use", "added at the start"]
    for name, _ in EPC:
        head += [f"{name}: lambdas that fit", "swapping at the start"]
    return ("## Pages of the EPC, a model\n\nPages of 4 KiB of the enclave's range that the kernel "
            "saw accessed: by requests of echo over an open connection, by one connection with "
            "handshake and request; in use since the start, with two lambdas (on hardware up to 15 "
            "more for each piece of memory, which is accepted 16 pages at a time, and 256 for each "
            "lane that has run, its stack); and added by the loader. A swapped page costs "
            f"{SWAP_CYCLES:,} cycles, at 2.6 GHz. While what is in use fits, only the start swaps, "
            "what is added beyond the EPC; the next column is how many lambdas (echo) fit. The last: cycles of one connection if all of its pages were gone "
            "each time.\n\n" + table((*head, "all gone, cycles"), rows))


def other_table(f):
    rows = [["p99 of echo, one connection, us: alone", *(
        cell(f.spread, "alone", e, "p99", digits=0) for e in ("quickjs", "duktape"))],
            ["beside a lambda that spins", *(
                cell(f.spread, "beside a spinner", e, "p99", digits=0)
                for e in ("quickjs", "duktape"))],
            ["CPU us a request, 1 thread", cell(f.spread, "threads", "1 thread"), "-"],
            ["with 2 threads on 2 cores", cell(f.spread, "threads", "2 threads"), "-"],
            ["the same, 32 connections, not 16", cell(f.spread, "threads", "2 threads @32"), "-"],
            ["nginx, 1 process", cell(f.spread, "threads", "njs"), "-"],
            ["nginx, 2 processes on 2 cores", cell(f.spread, "threads", "njs x 2"), "-"]]
    return ("## Neighbours and threads\n\nWith two threads the load has no core of its own. nginx "
            "lets one process accept most connections; tfaas deals them out.\n\n"
            + table(("", "quickjs", "duktape"), rows))


def line_table(results):
    names = ("interpreter", "environment", "platform", "sum", "ours")
    rows = []
    for engine in ENGINES:
        parts = {r["part"]: r for r in results["lines"] if r["engine"] == engine}
        if parts:
            rows.append([engine, *(f"{parts[n]['left']:,}" if n in parts else "-"
                                   for n in names)])
            if "binary" in parts:
                rows[-1][1] = f"binary, {parts['binary']['lines'] / 2**20:.0f} MiB"
    rows.append(["prototype of 2019, Duktape", "185,392", "-", "-", "401,077", "-"])
    rows.append(["prototype of 2019, V8", "1,308,702", "-", "-", "18,503,328", "-"])
    return ("## Lines to trust\n\nAfter preprocessing; `make tcb` has whole files and the parts. "
            "V8's sum is without its binary and without a kernel.\n\n"
            + table(("", "interpreter", "environment", "platform", "sum", "ours of it"), rows))


def short_table(f):
    """For README.md."""
    rows = []
    for name in ("quickjs", "duktape", "v8", "bun", "node26", "workerd", "floor"):
        label = f"tfaas, {name}" if name in ENGINES else name
        rows.append([label, *(cell(lambda c, n: f"{f.median(c, n):,.0f}", case, name)
                              for case in CPU_CASES),
                     cell(lambda n: f"{f.median('process start', n, 'ms'):,.0f}", name),
                     cell(lambda n: f"{f.slope_kib('lambdas echo', n):,.0f}", name)])
    r = f.results
    kind = "a quick run" if r["settings"]["quick"] else "a full run"
    return (table(("", *CPU_CASES, "start, ms", "a further lambda, KiB"), rows)
            + f"\nCommit {r['commit']}, {r['date']}, {kind} on {r['machine']['cpu']}, "
              f"{r['machine']['cores']} cores.\n\n")


def write(results, out):
    f = Figures(results)
    parts = [header(results), goal_table(f), cpu_table(f), rate_table(f), handshake_table(f),
             transition_table(f), bare_table(f), start_table(f), memory_table(f), page_table(f),
             other_table(f), line_table(results)]
    pictures = plots.write(f, out)
    parts.append("## Plots\n\n" + "\n".join(f"![{title}]({name})" for name, title in pictures)
                 + "\n")
    (out / "report.md").write_text("\n".join(part for part in parts if part))
