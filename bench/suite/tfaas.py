# SPDX-License-Identifier: Apache-2.0
"""tfaas as a peer: a tfaasd with images or V8's runtime, and lambdas of examples/ published on
it as a publisher would."""
import json
import re
import shutil
from pathlib import Path

from . import machine
from .peers import free_port
from .process import run, start, stop, until

BIN = Path("build")
LEAN = ("quickjs", "duktape", "mujs")


class Publisher:
    """Keys, trust domain and CA of the whole run, in `work`."""

    def __init__(self, work):
        self.work = work
        run([BIN / "tfaas", "image", "key", work / "operator.pem"])
        run([BIN / "tfaas", "key", "new", work / "publisher.pem"])
        run([BIN / "tfaas", "domain", "new", "--name", "bench", "--publisher",
             work / "publisher.pem.pub", "--out", work / "domain.json"])
        run([BIN / "tfaas", "ca", "new", "--name", "bench CA", "--out", work / "ca"])
        for engine in LEAN:
            run([BIN / "tfaas", "image", "sign", BIN / f"{engine}.img", "--key",
                 work / "operator.pem", "--out", work / f"{engine}.sig", "--prodid", "1",
                 "--svn", "1"])

    def certificate(self, names):
        """A P-256 leaf of the same CA for the peers: peer.pem, peer.key."""
        key, request = self.work / "peer.key", self.work / "peer.csr"
        alternatives = ",".join(f"DNS:{name}" for name in names)
        run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", key, "-out", request, "-subj", "/CN=peer.test", "-addext",
             f"subjectAltName={alternatives}"])
        run(["openssl", "x509", "-req", "-in", request, "-CA", self.work / "ca.pem", "-CAkey",
             self.work / "ca.key", "-days", "2", "-copy_extensions", "copy", "-out",
             self.work / "peer.pem"])


class Platform:
    """One tfaasd with some engines. `flags`: further options of its."""

    def __init__(self, publisher, name, engines, transition_cycles=10000, threads=1, flags=()):
        self.publisher, self.engines = publisher, engines
        self.dir = publisher.work / name
        self.dir.mkdir()
        self.port, self.process = free_port(), None
        self.transition_cycles, self.threads, self.flags = transition_cycles, threads, flags
        self.socket = self.dir / "host" / "admin.sock"
        self.env = {"TFAAS_HOST": str(self.socket), "TFAAS_CONNECT": f"127.0.0.1:{self.port}"}

    def command(self):
        images = []
        for engine in self.engines:
            if engine == "v8":
                images += ["--native", f"v8={BIN / 'v8'}"]
            else:
                images += ["--image",
                           f"{engine}={BIN / engine}.img,{self.publisher.work / engine}.sig"]
        return [BIN / "tfaasd", "--state", self.dir / "host", "--listen",
                f"127.0.0.1:{self.port}", "--threads", self.threads, "--transition-cycles",
                self.transition_cycles, *self.flags, *images]

    def launch(self, cores=(machine.SERVER_CORE,)):
        self.process = start(self.command(), self.dir / "tfaasd.log", cores)

    def start(self, cores=(machine.SERVER_CORE,)):
        self.launch(cores)
        until(20, self.is_up, "tfaasd")
        images = []
        for engine in self.engines:
            images += (["--native", BIN / "v8"] if engine == "v8" else
                       ["--image", self.publisher.work / f"{engine}.sig"])
        self.tfaas("policy", "new", *images, "--domain", self.publisher.work / "domain.json",
                   "--sim-root", "host", "--out", self.dir / "policy.json")

    def stop(self):
        stop(self.process)

    def tfaas(self, *arguments):
        return run([BIN / "tfaas", *arguments], env=self.env)

    def is_up(self):
        try:
            self.tfaas("info")
            return True
        except RuntimeError:
            return False

    def publish(self, source, name, engine, reuse=False, limits=None):
        """A lambda of `source` (a main.js) as `name` on an engine. Returns its server."""
        project = self.dir / name
        project.mkdir(exist_ok=True)
        shutil.copy(source, project / "main.js")
        host = f"{name}.test"
        (project / "tfaas.json").write_text(json.dumps(
            {"name": name, "version": 1, "entry": "main.js", "domains": [host], "reuse": reuse,
             "limits": limits or {}}))
        bundle, work = self.dir / f"{name}.tfb", self.publisher.work
        self.tfaas("pack", project, "--out", bundle)
        self.tfaas("sign", bundle, "--key", work / "publisher.pem")
        self.tfaas("deploy", bundle, "--domain", work / "domain.json", "--engine", engine)
        self.tfaas("grant", name, "--policy", self.dir / "policy.json", "--key",
                   work / "publisher.pem", "--ca-key", work / "ca.key", "--ca-cert",
                   work / "ca.pem", "--allow-sim")
        return Lambda(self, engine, host)

    def admin(self, path):
        return run(["curl", "-sS", "--max-time", "10", "--unix-socket", self.socket,
                    f"http://localhost{path}"])

    def worker(self, engine):
        """The process that serves an engine."""
        workers = json.loads(self.admin("/v1/workers"))["workers"]
        return next(w["pid"] for w in workers if w["engine"] == engine and w["pid"] > 0)

    def entries(self, engine):
        """EENTERs of an engine so far."""
        return sum(int(float(line.split()[-1])) for line in self.admin("/metrics").splitlines()
                   if line.startswith("tfaas_enclave_entries_total")
                   and re.search(f'"{engine}"', line))


class Lambda:
    """One published lambda, to be asked like a peer."""

    def __init__(self, platform, engine, host):
        self.platform, self.engine, self.host = platform, engine, host
        self.port = platform.port
        self.worker_pid = platform.worker(engine)

    def pids(self):
        """tfaasd, which accepts, and the worker of this engine with what it started."""
        return [self.platform.process.pid, *machine.tree(self.worker_pid)]

    def worker_pids(self):
        return machine.tree(self.worker_pid)

    def entries(self):
        return self.platform.entries(self.engine)
