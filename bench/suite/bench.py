# SPDX-License-Identifier: Apache-2.0
"""What all measurements share: settings, the servers that run, and the record of figures."""
import sys
import time
from pathlib import Path

from . import peers, tfaas
from .load import Generator
from .process import FAILURES

# wrk counts whole seconds.
FULL = {"quick": False, "rounds": 5, "seconds": 1, "handshakes": 0.5, "starts": 5,
        "fresh_lambdas": 5, "tenants": (1, 25, 50, 100), "connections": 16}
QUICK = {"quick": True, "rounds": 2, "seconds": 1, "handshakes": 0.3, "starts": 3,
         "fresh_lambdas": 3, "tenants": (1, 10, 30), "connections": 16}


class Bench:
    def __init__(self, work, settings):
        self.work, self.settings = Path(work), settings
        self.started = time.monotonic()
        self.peers, self.missing = peers.install()
        self.publisher = tfaas.Publisher(self.work)
        names = [f"{name}.{peer}.test" for name in peers.LAMBDAS for peer in peers.PEERS]
        self.publisher.certificate(names)
        self.generator = Generator(self.work, Path("build/bench"))
        self.names = names
        self.generator.know(names)
        self.figures = {}
        self.lines = []
        self.notes = []
        self.engines = [*tfaas.LEAN, "v8"]
        if not (tfaas.BIN / "v8" / "node").exists():
            self.engines.remove("v8")
            self.missing["v8"] = "build/v8 is not there: make v8"

    def progress(self, text):
        seconds = int(time.monotonic() - self.started)
        print(f"[{seconds // 60:2}:{seconds % 60:02}] {text}", file=sys.stderr, flush=True)

    def record(self, case, subject, figures):
        """Adds one round's figures of a subject to a case."""
        self.figures.setdefault(case, {}).setdefault(subject, []).append(figures)

    def rounds(self, case, subjects, measure, count):
        """A B C, A B C, ...: what fails once is left out from then on, with a note."""
        subjects = dict(subjects)
        for turn in range(count):
            for name in list(subjects):
                self.progress(f"{case}, round {turn + 1} of {count}: {name}")
                try:
                    self.record(case, name, measure(subjects[name]))
                except FAILURES as e:
                    del subjects[name]
                    self.fail(case, name, e)

    def fail(self, case, name, error):
        text = str(error).strip().splitlines()
        self.notes.append(f"{case}: {name} is left out: {text[-1] if text else error!r}")
        self.progress(self.notes[-1])

    def know(self, servers):
        """Lets wrk find further TLS names."""
        self.names += [server.host for server in servers if server.host not in self.names]
        self.generator.know(self.names)

    def start_peers(self, lambda_name):
        """The peers that run a lambda, each started and answering."""
        servers = {}
        for name, peer in self.peers.items():
            if lambda_name not in peer.lambdas:
                continue
            server = peer(name, lambda_name, self.work)
            server.start()
            servers[name] = server
        for name, server in list(servers.items()):
            if not self.answers(server):
                self.fail(lambda_name, name, RuntimeError("does not answer"))
                server.stop()
                del servers[name]
        return servers

    def answers(self, server):
        # A lambda that computes answers a POST as well.
        return self.generator.handshake("wait", server, 1, 15)["connections"] == 1
