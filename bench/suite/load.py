# SPDX-License-Identifier: Apache-2.0
"""The load generators, bound to their core: wrk, and bench/handshake.c."""
import subprocess
import time

from . import machine
from .process import run

PERCENTILES = ("p50", "p99", "p1", "p10", "p25", "p75", "p90", "p95", "p99.9", "p99.99")

# One cipher and one group for all, so that what is compared is not who prefers what.
OPENSSL = """openssl_conf = c
[c]
ssl_conf = s
[s]
system_default = d
[d]
Ciphersuites = TLS_AES_128_GCM_SHA256
Groups = X25519
MinProtocol = TLSv1.3
"""


class Generator:
    """Writes what the generators need below `work`: a hosts file for wrk, which takes the TLS
    name from the URL, in a mount namespace of its own; and OpenSSL's settings."""

    def __init__(self, work, tools):
        self.handshake_program = tools / "handshake"
        self.hosts = work / "hosts"
        self.config = work / "openssl.cnf"
        self.config.write_text(OPENSSL)

    def know(self, names):
        with open("/etc/hosts", encoding="utf-8") as f:
            self.hosts.write_text(f.read() + "".join(f"127.0.0.1 {name}\n" for name in names))

    def wrk(self, server, seconds, path="/", body=0, connections=16, threads=1,
            core=machine.LOAD_CORE):
        """One run against a server. core None: wherever the kernel likes."""
        command = ["unshare", "-m", "sh", "-c",
                   f"mount --bind {self.hosts} /etc/hosts && exec "
                   + ("" if core is None else f"taskset -c {core} ")
                   + f"wrk -t{threads} -c{connections} -d{seconds}s --timeout 20s --latency "
                     f"-s bench/load.lua 'https://{server.host}:{server.port}{path}'"]
        before = machine.cpu_us(server.pids())
        out = run(command, timeout=seconds + 60,
                  env={"BENCH_BODY": str(body), "OPENSSL_CONF": str(self.config)})
        used = machine.cpu_us(server.pids()) - before
        fields = next(line for line in out.splitlines() if line.startswith("RESULT")).split()[1:]
        requests, duration, errors = (int(float(f)) for f in fields[:3])
        figures = {"requests": requests, "errors": errors,
                   "rate": requests / (duration / 1e6), "cpu_us": used / max(requests, 1)}
        figures.update((name, float(us)) for name, us in zip(PERCENTILES, fields[3:]))
        return figures

    def handshake(self, kind, server, count, seconds, connections=1, rest=0):
        """`kind` is full, resumed or wait; see bench/handshake.c. `rest`: seconds after the last
        answer in which the server's work still counts."""
        before = machine.cpu_us(server.pids()) if kind != "wait" else 0
        out = subprocess.run(
            ["taskset", "-c", str(machine.LOAD_CORE), self.handshake_program, kind,
             str(server.port), server.host, str(count), f"{seconds:g}", str(connections)],
            capture_output=True, text=True, timeout=seconds + 60, check=False,
            stdin=subprocess.DEVNULL)
        words = out.stdout.split()
        if not words:
            raise RuntimeError(f"handshake: {out.stderr}")
        figures = {name: float(value) for name, value in zip(words[::2], words[1::2])}
        if kind != "wait":
            time.sleep(rest)
            used = machine.cpu_us(server.pids()) - before
            # The connections that brought the first tickets were made and paid, too.
            made = figures["connections"] + (connections if kind == "resumed" else 0)
            figures["cpu_us"] = used / max(made, 1)
        return figures

