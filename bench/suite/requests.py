# SPDX-License-Identifier: Apache-2.0
"""Throughput, latency and CPU time of requests over connections that stay open."""
from .process import FAILURES
from .tfaas import Lambda, Platform

COMPUTE = {"base64": "/?n=2", "cube3d": "/?n=200"}


# At one connection, where each round has to be longer.
FEW = ("floor", "bun", "njs", "node26", "quickjs", "duktape", "v8", "quickjs asleep",
       "duktape asleep")
# What compiles while it runs.
WARM = ("bun", "deno", "node26", "workerd", "v8")


def tells_of_all(name):
    """Whether a server is as its users have it, not one of echo_lambdas' variants."""
    return not any(word in name for word in ("@", "reuse", "asleep"))


def warm(bench, servers, **load):
    for name in WARM:
        if name in servers:
            bench.generator.wrk(servers[name], 2, **load)


def measure(bench, seconds, **load):
    """A function that loads a server once; of tfaas also EENTER per request."""
    def one(server):
        if not isinstance(server, Lambda):
            return bench.generator.wrk(server, seconds, **load)
        before = server.entries()
        figures = bench.generator.wrk(server, seconds, **load)
        figures["entries"] = (server.entries() - before) / max(figures["requests"], 1)
        return figures
    return one


def echo_lambdas(bench):
    """echo on each engine, as the issue asks for it: fresh and reused heaps, and for the
    engines in enclaves transitions of 0, 10,000 and 14,000 cycles; and with threads that do not
    ask for work before they sleep, as the peers' do not."""
    main = Platform(bench.publisher, "main", bench.engines)
    main.start()
    lambdas = {}
    for engine in list(bench.engines):
        try:
            lambdas[engine] = main.publish("examples/echo/main.js", f"echo-{engine}", engine)
        except FAILURES as e:
            bench.engines.remove(engine)
            bench.fail("all", engine, e)
    for engine in ("quickjs", "duktape"):
        lambdas[f"{engine} reuse"] = main.publish("examples/echo/main.js",
                                                  f"reuse-{engine}", engine, reuse=True)
    for cycles in (0, 14000):
        other = Platform(bench.publisher, f"cycles{cycles}", ("quickjs", "duktape"), cycles)
        other.start()
        for engine in other.engines:
            lambdas[f"{engine} @{cycles}"] = other.publish("examples/echo/main.js",
                                                           f"echo-{engine}", engine)
    other = Platform(bench.publisher, "asleep", ("quickjs", "duktape"), flags=("--poll-us", 0))
    other.start()
    for engine in other.engines:
        lambdas[f"{engine} asleep"] = other.publish("examples/echo/main.js", f"echo-{engine}",
                                                    engine)
    bench.know(lambdas.values())
    return main, lambdas


def echo(bench, servers):
    """100 B and 10 KB with several connections, 100 B with one."""
    s = bench.settings
    warm(bench, servers, body=100, connections=s["connections"])
    bench.rounds("echo 100 B", servers,
                 measure(bench, s["seconds"], body=100, connections=s["connections"]), s["rounds"])
    plain = {n: v for n, v in servers.items() if tells_of_all(n)}
    bench.rounds("echo 10 KB", plain,
                 measure(bench, s["seconds"], body=10240, connections=s["connections"]),
                 s["rounds"])
    few = {n: v for n, v in servers.items() if n in FEW}
    seconds = s["seconds"] if s["quick"] else 2 * s["seconds"]
    bench.rounds("one connection", few, measure(bench, seconds, body=100, connections=1),
                 s["rounds"])


def compute(bench, name, subjects):
    """base64 or cube3d: one run a request. What has a measure() of its own is no server."""
    s = bench.settings
    # Few connections: what is under way when a round ends has cost, and does not count.
    load = {"path": COMPUTE[name], "connections": 2}
    warm(bench, subjects, **load)
    by_load = measure(bench, s["seconds"] if s["quick"] else 2 * s["seconds"], **load)

    def one(subject):
        return subject.measure() if hasattr(subject, "measure") else by_load(subject)
    bench.rounds(name, subjects, one, s["rounds"])
