# SPDX-License-Identifier: Apache-2.0
"""Memory: of one server idle and after load, against the number of lambdas, and the pages of an
enclave that a request touches."""
import re
import threading
import time
from pathlib import Path

from . import machine, peers
from .process import FAILURES, run
from .tfaas import BIN, LEAN, Platform

PAGE = 4096
REST = 10  # seconds without a request, after which a collector has had its time


def one(bench, servers, when):
    """Memory of each server now; `when` is idle or after load. tfaas: the worker's."""
    for name, server in servers.items():
        pids = server.worker_pids() if hasattr(server, "worker_pids") else server.pids()
        bench.record(f"memory {when}", name, machine.memory_kib(pids))


def ask(server, path="/"):
    """One request, so that a lambda is loaded and its top level has run."""
    run(["curl", "-sSk", "--fail", "--max-time", "20", "--resolve",
         f"{server.host}:{server.port}:127.0.0.1", "-o", "/dev/null",
         f"https://{server.host}:{server.port}{path}"])


def note(bench, case, subject, number, pids):
    """Memory now, and at the last two numbers again after a rest, with V8's collectors."""
    bench.record(case, subject, {"lambdas": number, **machine.memory_kib(pids)})
    if subject in ("v8", "workerd") and number in bench.settings["tenants"][-2:]:
        time.sleep(REST)
        bench.record(f"{case}, at rest", subject,
                     {"lambdas": number, **machine.memory_kib(pids)})


def grow(bench, case, subject, add, pids):
    """Adds lambdas one after the other with add(number); memory at each number wanted."""
    wanted = bench.settings["tenants"]
    for number in range(1, wanted[-1] + 1):
        try:
            add(number)
        except FAILURES as e:
            bench.fail(case, subject, RuntimeError(f"stops at {number - 1} lambdas: {e}"))
            return
        if number in wanted:
            bench.progress(f"{case}, {subject}: {number}")
            note(bench, case, subject, number, pids())


def platform(bench, engine, lambda_name, path):
    """One more lambda after the other on an engine of its own tfaasd."""
    host = Platform(bench.publisher, f"tenants-{engine}-{lambda_name}", (engine,), 0)
    host.start()
    servers = []

    def add(number):
        servers.append(host.publish(f"examples/{lambda_name}/main.js",
                                    f"{lambda_name}-{number}", engine))
        ask(servers[-1], path)
    grow(bench, f"lambdas {lambda_name}", engine, add, lambda: servers[-1].pids())
    host.stop()


class Tenants(peers.Workerd):
    """A workerd with a service for each of many lambdas."""

    def __init__(self, work, lambda_name, count):
        super().__init__("workerd", lambda_name, work)
        self.ports = peers.free_ports(count)

    def command(self):
        config = self.work / f"workerd.{self.lambda_name}.many.capnp"
        services = [(self.lambda_name, port) for port in self.ports]
        config.write_text(peers.workerd_config(services, *self.certificate()))
        return [self.program, "serve", config]


def open_tenants(bench, lambda_name, count):
    """A workerd that answers at all its ports; another process may have taken one: once more."""
    for _ in range(3):
        server = Tenants(bench.work, lambda_name, count)
        server.start()
        server.port = server.ports[-1]
        if bench.answers(server):
            return server
        server.stop()
    raise RuntimeError(f"workerd with {count} services does not answer")


def workerd(bench, lambda_name, path):
    """A configuration for each number: its services are loaded when it starts."""
    for count in bench.settings["tenants"]:
        server = open_tenants(bench, lambda_name, count)
        for port in server.ports:
            server.port = port
            ask(server, path)
        bench.progress(f"lambdas {lambda_name}, workerd: {count}")
        note(bench, f"lambdas {lambda_name}", "workerd", count, server.pids())
        server.stop()


def many(bench):
    """echo for all; cube3d, after it has computed, for those that compile."""
    for engine in [e for e in bench.engines if e != "mujs"]:
        platform(bench, engine, "echo", "/")
    if "v8" in bench.engines:
        platform(bench, "v8", "cube3d", "/?n=200")
    if "workerd" in bench.peers:
        workerd(bench, "echo", "/")
        workerd(bench, "cube3d", "/?n=200")


# --- pages of the EPC ---------------------------------------------------------------------


def enclave_range(pid):
    """Where the simulator put the enclave: the mapping of the worker that is largest with its
    neighbours, which it reserved as one."""
    areas = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        begin, end = (int(x, 16) for x in re.match(r"([0-9a-f]+)-([0-9a-f]+)", line).groups())
        if areas and areas[-1][1] == begin:
            areas[-1][1] = end
        else:
            areas.append([begin, end])
    return max(areas, key=lambda area: area[1] - area[0])


def sum_of(pid, area, field):
    """Adds a field of smaps over a range: KiB."""
    total, inside = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        found = re.match(r"([0-9a-f]+)-([0-9a-f]+) ", line)
        if found:
            begin = int(found.group(1), 16)
            inside = area[0] <= begin < area[1]
        elif inside and line.startswith(f"{field}:"):
            total += int(line.split()[1])
    return total


def forget(pid):
    """Clears the accessed bits of a process. 4 flushes the TLB, without which a bit that is
    cached there would not be set again."""
    for what in "14":
        Path(f"/proc/{pid}/clear_refs").write_text(what)


def added(bench, engine):
    """Pages that the loader gives an enclave on hardware, by its dry run."""
    calls = run([BIN / "tfaas-worker", "--backend", "sgx", "--dry-run", "--image",
                 BIN / f"{engine}.img", "--sigstruct", bench.publisher.work / f"{engine}.sig"])
    return sum(int(size, 16) for size in
               re.findall(r"ENCLAVE_ADD_PAGES .*length=([0-9a-f]+)", calls)) // PAGE


def kept_open(bench, server, area):
    """Pages that requests touch over a connection that is there already."""
    load = threading.Thread(target=bench.generator.wrk, args=(server, 2),
                            kwargs={"body": 100, "connections": 1})
    load.start()
    time.sleep(1)
    forget(server.worker_pid)
    time.sleep(0.5)
    touched = sum_of(server.worker_pid, area, "Referenced") * 1024 // PAGE
    load.join()
    return touched


def pages(bench, lambdas):
    """Pages of the enclave that requests of echo touch, and that are there at all."""
    for engine in LEAN:
        server = lambdas[engine]
        pid, area = server.worker_pid, enclave_range(server.worker_pid)
        bench.progress(f"pages of the EPC: {engine}")
        forget(pid)
        bench.generator.handshake("full", server, 1, 20)
        connection = sum_of(pid, area, "Referenced") * 1024 // PAGE
        bench.record("pages", engine, {
            "connection": connection,
            "kept_open": kept_open(bench, server, area),
            "committed": sum_of(pid, area, "Rss") * 1024 // PAGE,
            "added": added(bench, engine),
            "huge": sum_of(pid, area, "AnonHugePages") * 1024 // PAGE})
