# SPDX-License-Identifier: Apache-2.0
"""What others on the same machine do to a lambda: one that spins, and a second thread."""
import threading
import time

from . import machine
from .process import until
from .tfaas import Lambda, Platform

SPIN = "exports.fetch = function () { for (;;) { } };\n"


def settle(server):
    """Waits until a worker has given up what its clients have left."""
    def is_idle():
        before = machine.cpu_us(server.pids())
        time.sleep(0.2)
        return machine.cpu_us(server.pids()) - before < 10000
    until(60, is_idle, "a lambda that spins")


def spinning(bench, main, lambdas):
    """p99 of echo at one connection, alone and beside a lambda of the same worker that never
    returns (its limit of steps ends it, the next request starts it again)."""
    seconds = 3 * bench.settings["seconds"]
    rounds = 1 if bench.settings["quick"] else 3
    source = bench.work / "spin.js"
    source.write_text(SPIN)
    for engine in [e for e in bench.engines if e not in ("mujs", "v8")]:
        spin = main.publish(source, f"spin-{engine}", engine)
        bench.know([spin])
        for turn in range(rounds):
            bench.progress(f"a neighbour that spins, round {turn + 1}: {engine}")
            alone = bench.generator.wrk(lambdas[engine], seconds, body=100, connections=1)
            bench.record("alone", engine, alone)
            neighbour = threading.Thread(target=bench.generator.wrk, args=(spin, seconds + 1),
                                         kwargs={"connections": 1})
            neighbour.start()
            beside = bench.generator.wrk(lambdas[engine], seconds, body=100, connections=1)
            bench.record("beside a spinner", engine, beside)
            neighbour.join()
            settle(spin)


def threads(bench):
    """CPU of a request with two threads on two cores against one, load wherever it finds room.
    Beside it the same threads with as many connections each as the one has, and nginx's
    processes: what the machine, whose cores servers and load now share, has of the ratio."""
    both = (machine.SERVER_CORE, machine.LOAD_CORE)
    cores = {1: (machine.SERVER_CORE,), 2: both}
    servers, stops = {}, []
    for count in cores:
        host = Platform(bench.publisher, f"threads{count}", ("quickjs",), threads=count)
        host.start(cores[count])
        stops.append(host)
        servers[f"{count} threads" if count > 1 else "1 thread"] = host.publish(
            "examples/echo/main.js", f"threads-{count}", "quickjs")
        if "njs" in bench.peers:
            nginx = bench.peers["njs"]("njs", "echo", bench.work)
            nginx.processes = count
            nginx.start(cores[count])
            stops.append(nginx)
            if bench.answers(nginx):
                servers["njs x 2" if count > 1 else "njs"] = nginx
    bench.know([s for s in servers.values() if isinstance(s, Lambda)])

    def one(server, connections):
        return bench.generator.wrk(server, bench.settings["seconds"], body=100,
                                   connections=connections, core=None)
    subjects = {name: (server, 16) for name, server in servers.items()}
    subjects["2 threads @32"] = (servers["2 threads"], 32)
    bench.rounds("threads", subjects, lambda subject: one(*subject), bench.settings["rounds"])
    for server in stops:
        server.stop()
