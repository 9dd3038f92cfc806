# SPDX-License-Identifier: Apache-2.0
"""The servers that tfaas is measured beside. Each serves one lambda of examples/ on a loopback
port of its own, with one thread where it lets one choose, no access log, and the same
certificate; what is not installed is left out with its reason."""
import socket
from pathlib import Path

from . import machine
from .process import FAILURES, run, start, stop

LAMBDAS = ("echo", "base64", "cube3d")
DIR = Path("bench/peers")


def free_ports(count):
    """Ports that nobody listens at now."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def free_port():
    return free_ports(1)[0]


class Server:
    """One running server of one lambda. `host` is its TLS name."""

    def __init__(self, name, lambda_name, work):
        self.name, self.lambda_name, self.work = name, lambda_name, work
        self.host, self.port = f"{lambda_name}.{name}.test", free_port()
        self.process = None

    def start(self, cores=(machine.SERVER_CORE,)):
        self.process = start(self.command(), self.work / f"{self.name}.log", cores)

    def stop(self):
        stop(self.process)

    def pids(self):
        return machine.tree(self.process.pid)

    def certificate(self):
        return self.work / "peer.pem", self.work / "peer.key"


class Floor(Server):
    """bench/floor.c: no lambda at all."""
    lambdas = ("echo",)
    program = Path("build/bench/floor")
    version_command = ("openssl", "version")

    def command(self):
        return [self.program, self.port, *self.certificate()]


class Script(Server):
    """bun, deno and node: bench/peers/NAME.mjs."""
    lambdas = LAMBDAS
    dependency = None
    flags = ()

    def command(self):
        return [self.program, *self.flags, DIR / f"{self.dependency}.mjs",
                f"examples/{self.lambda_name}/main.js", self.port, *self.certificate()]


class Bun(Script):
    dependency = "bun"
    program = Path("build/deps/bun/bin/bun")
    version_command = (program, "--version")
    flags = ("run",)


class Deno(Script):
    dependency = "deno"
    program = Path("build/deps/deno/bin/deno")
    version_command = (program, "--version")
    flags = ("run", "--quiet", "--no-config", "--allow-net", "--allow-read", "--allow-env")


class Node(Script):
    dependency = "node"
    program = Path("build/deps/node/bin/node")
    version_command = (program, "--version")


class Workerd(Server):
    lambdas = LAMBDAS
    dependency = "workerd"
    program = Path("build/deps/workerd/bin/workerd")
    version_command = (program, "--version")

    def command(self):
        config = self.work / f"workerd.{self.lambda_name}.{self.port}.capnp"
        config.write_text(workerd_config([(self.lambda_name, self.port)], *self.certificate()))
        return [self.program, "serve", config]


def script(name, lambda_name):
    """A script of bench/peers/ with a lambda of examples/ where it asks for one."""
    source = Path(f"examples/{lambda_name}/main.js").read_text()
    return (DIR / name).read_text().replace("/* LAMBDA */", source)


def workerd_config(services, certificate, key):
    """A configuration with a service and a TLS socket for each (lambda, port)."""
    def quoted(text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    head = ('using Workerd = import "/workerd/workerd.capnp";\n'
            "const config :Workerd.Config = (services = [")
    service = ('(name = "s%d", worker = (modules = [(name = "worker", esModule = %s)], '
               'compatibilityDate = "2025-01-01"))')
    tls = ('(name = "p%d", address = "127.0.0.1:%d", https = (tlsOptions = (keypair = '
           '(privateKey = %s, certificateChain = %s), minVersion = tls1Dot3)), service = "s%d")')
    chain, private = quoted(certificate.read_text()), quoted(key.read_text())
    return (head
            + ",\n".join(service % (i, quoted(script("workerd.mjs", name)))
                         for i, (name, _) in enumerate(services))
            + "], sockets = ["
            + ",\n".join(tls % (i, port, private, chain, i) for i, (_, port) in enumerate(services))
            + "]);\n")


NGINX = """load_module /usr/lib/nginx/modules/ngx_http_js_module.so;
worker_processes {processes}; daemon off; pid {dir}/pid; error_log {dir}/error;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_buffer_size 64k;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  js_import main from {dir}/main.js;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_protocols TLSv1.3;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    location / {{ js_content main.{function}; }}
  }}
}}
"""


class Njs(Server):
    """nginx with njs, which clones a fresh VM for each request."""
    lambdas = LAMBDAS
    processes = 1
    program = Path("/usr/sbin/nginx")
    version_command = (program, "-v")

    def command(self):
        folder = self.work / f"njs.{self.lambda_name}.{self.port}"
        folder.mkdir(exist_ok=True)
        # njs knows no directives, and its echo is its own.
        text = script("njs.js", self.lambda_name).replace("'use strict';", "")
        (folder / "main.js").write_text(text)
        certificate, key = self.certificate()
        (folder / "conf").write_text(NGINX.format(
            dir=folder, port=self.port, processes=self.processes, certificate=certificate, key=key,
            function="echo" if self.lambda_name == "echo" else "compute"))
        return [self.program, "-c", folder / "conf", "-p", folder]


class H2o(Server):
    """h2o with mruby: echo only, the others are no Ruby."""
    lambdas = ("echo",)
    program = Path("/usr/bin/h2o")
    version_command = (program, "--version")

    def command(self):
        certificate, key = self.certificate()
        config = self.work / "h2o.conf"
        config.write_text(f"""listen:
  host: 127.0.0.1
  port: {self.port}
  ssl: {{certificate-file: "{certificate}", key-file: "{key}", minimum-version: TLSv1.2}}
num-threads: 1
hosts:
  default:
    paths:
      "/":
        mruby.handler: |
          Proc.new do |env|
            [200, {{"content-type" => env["CONTENT_TYPE"]}}, [env["rack.input"].read]]
          end
""")
        return [self.program, "-m", "worker", "-c", config]


PEERS = {"floor": Floor, "bun": Bun, "deno": Deno, "node26": Node, "workerd": Workerd,
         "njs": Njs, "h2o": H2o}


def install():
    """Gets the peers of deps/lock. Returns those that are here, and why the others are not."""
    present, missing = {}, {}
    for name, peer in PEERS.items():
        dependency = getattr(peer, "dependency", None)
        try:
            if dependency is not None:
                run(["deps/build", dependency], timeout=600, env={"O": "build"})
            if not peer.program.exists():
                raise RuntimeError(f"no {peer.program} (tools/setup bench)")
            present[name] = peer
        except FAILURES as e:
            missing[name] = str(e).strip().splitlines()[-1]
    return present, missing
