# SPDX-License-Identifier: Apache-2.0
"""What a connection costs: handshakes, the start of a process, a lambda never run before."""
import re
import resource
import time
from itertools import count
from statistics import median

from . import machine, process, tfaas
from .requests import tells_of_all
from .tfaas import Platform

REST = 0.01  # s


def handshakes(bench, servers):
    """A connection, one request, close: full and resumed handshakes, as many at a time as
    elsewhere, so that the server is busy; and one at a time, when it sleeps in between."""
    settings = bench.settings

    def run(kind, connections):
        def one(server):
            figures = bench.generator.handshake(kind, server, 50000, settings["handshakes"],
                                                connections)
            if figures["errors"] > 0:
                raise RuntimeError(f"{figures['errors']:.0f} connections failed")
            if kind == "resumed" and figures["resumed"] < 0.9 * figures["connections"]:
                raise RuntimeError(f"resumes {figures['resumed']:.0f} of "
                                   f"{figures['connections']:.0f}")
            return figures
        return one
    plain = {n: v for n, v in servers.items() if tells_of_all(n)}
    for kind in ("full", "resumed"):
        for case, connections in ((f"{kind} handshake", settings["connections"]),
                                  (f"{kind} handshake, one at a time", 1)):
            bench.rounds(case, plain, run(kind, connections), settings["rounds"])


class Restart:
    """A tfaasd with one lambda of one engine, to be started again and again. Transitions cost
    nothing here, as the issue asks."""

    def __init__(self, bench, engine):
        self.platform = Platform(bench.publisher, f"start-{engine}", (engine,), 0)
        self.platform.start()
        server = self.platform.publish("examples/echo/main.js", f"start-{engine}", engine)
        self.host, self.port = server.host, server.port
        self.platform.stop()

    def start(self):
        self.platform.launch()

    def stop(self):
        self.platform.stop()

    def pids(self):
        return machine.tree(self.platform.process.pid)

    def worker_start(self):
        """When tfaasd forked its worker last, by its log: seconds since 1970."""
        log = (self.platform.dir / "tfaasd.log").read_text()
        return float(re.findall(r"^ts=([0-9.]+) event=worker-start", log, re.MULTILINE)[-1])


def first_response(bench, server):
    """From the start of a process to the first byte of its first answer, ms."""
    begin = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    server.start()
    try:
        figures = bench.generator.handshake("wait", server, 1, 20)
        used = machine.cpu_us(server.pids())
    finally:
        server.stop()
    if figures["connections"] != 1:
        raise RuntimeError("does not answer within 20 s")
    times = {"ms": (figures["at"] - begin) / 1e6, "cpu_ms": used / 1e3}
    if hasattr(server, "worker_start"):
        wall = time.time_ns() - time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        times["worker_ms"] = (figures["at"] + wall) / 1e6 - server.worker_start() * 1e3
    return times


def starts(bench):
    subjects = {n: peer(n, "echo", bench.work) for n, peer in bench.peers.items()}
    subjects.update((engine, Restart(bench, engine)) for engine in bench.engines)
    bench.rounds("process start", subjects, lambda s: first_response(bench, s),
                 bench.settings["starts"])
    # What of it is the measuring of the image: SHA-256 over its pages, as ECREATE, EADD and
    # EEXTEND would.
    program = tfaas.BIN / "tfaas"
    for engine in [e for e in bench.engines if e != "v8"]:
        image = tfaas.BIN / f"{engine}.img"
        for _ in range(bench.settings["starts"]):
            whole = cpu_ms([program, "image", "measure", image])
            empty = cpu_ms([program, "image", "help"])
            bench.record("measuring the image", engine, {"ms": whole - empty})


def cpu_ms(command):
    """CPU time of a command that ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process.run(command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def first_request(bench, main, engine, number):
    """hello, never run before: its first request against one to the same lambda a moment later,
    each over a new connection with a full handshake."""
    source = bench.work / "hello.js"
    # Another text each time: nothing of it can have been seen before.
    source.write_text(f"exports.fetch = function (request, env, ctx) {{\n"
                      f"    return new Response('hello {number} {engine}\\n');\n}};\n")
    server = main.publish(source, f"hello-{engine}-{number}", engine)
    # What a load puts off until nobody waits is its work, too.
    first = bench.generator.handshake("full", server, 1, 10, rest=REST)
    if first["connections"] != 1:
        raise RuntimeError("the first request failed")
    warm = [bench.generator.handshake("full", server, 10, 10, rest=REST) for _ in range(3)]
    later = median(w["p50"] for w in warm)
    return {"load_cpu_us": first["cpu_us"] - median(w["cpu_us"] for w in warm),
            "first_us": first["p50"], "warm_us": later, "later_us": first["p50"] - later}


def first_requests(bench, main):
    numbers = count()
    bench.rounds("first request", {e: e for e in bench.engines},
                 lambda engine: first_request(bench, main, engine, next(numbers)),
                 bench.settings["fresh_lambdas"])
