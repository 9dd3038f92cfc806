# SPDX-License-Identifier: Apache-2.0
"""base64 and cube3d: on the engines of tfaas, on the peers, and on engines alone."""
from . import requests
from .process import run
from .tfaas import BIN

RUNS = {"base64": 40, "cube3d": 40}


class Bare:
    """bench/bare.c: an engine without TLS and HTTP."""

    def __init__(self, name, lambda_name):
        self.command = ["taskset", "-c", "0", BIN / "bench" / f"bare-{name}",
                        f"examples/{lambda_name}/main.js",
                        f"https://x.test{requests.COMPUTE[lambda_name]}", RUNS[lambda_name]]

    def measure(self):
        return {"cpu_us": float(run(self.command))}


def compute(bench, name, main):
    """One run() a request, on all that can."""
    servers = {e: main.publish(f"examples/{name}/main.js", f"{name}-{e}", e)
               for e in bench.engines}
    if "v8" in bench.engines:  # as node and the other peers do it
        servers["v8 reuse"] = main.publish(f"examples/{name}/main.js", f"{name}-reuse-v8", "v8",
                                           reuse=True)
    bench.know(servers.values())
    peers = bench.start_peers(name)
    subjects = {**peers, **servers}
    for engine in ("quickjs", "duktape"):
        for kind in ("", "-stock"):
            label = f"{engine} bare{' stock' if kind else ''}"
            subjects[label] = Bare(f"{engine}{kind}", name)
    requests.compute(bench, name, subjects)
    for peer in peers.values():
        peer.stop()
