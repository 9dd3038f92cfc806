# SPDX-License-Identifier: Apache-2.0
"""Processes that the run starts, and ends again: no others are ever ended."""
import atexit
import os
import subprocess
import time

from . import machine

started = []

# What goes wrong with one subject, and is said in the report while the rest goes on.
FAILURES = (RuntimeError, OSError, StopIteration, subprocess.SubprocessError)


def start(command, log, cores=(machine.SERVER_CORE,), env=None):
    """Starts a server, bound to cores; what it says goes to the file `log`."""
    with open(log, "ab") as out:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env={**os.environ, **(env or {})},
            preexec_fn=lambda: os.sched_setaffinity(0, cores))
    started.append(process)
    return process


def stop(process):
    """Asks a process that start() made to end; one that does not in 5 s is killed. What it had
    started ends by itself, and is waited for: h2o's process for keys takes its time, on the core
    of whoever is measured next."""
    if process in started:
        started.remove(process)
    if process.poll() is not None:
        return
    others = [pid for pid in machine.tree(process.pid) if pid != process.pid]
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    end = time.monotonic() + 5
    while any(os.path.exists(f"/proc/{pid}") for pid in others) and time.monotonic() < end:
        time.sleep(0.005)


def run(command, timeout=60, env=None):
    """What a command prints; raises with what it said when it fails."""
    out = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                         timeout=timeout, check=False, stdin=subprocess.DEVNULL,
                         env={**os.environ, **(env or {})})
    if out.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {out.returncode}\n"
                           f"{out.stdout[-2000:]}{out.stderr[-2000:]}")
    return out.stdout


def until(seconds, test, what):
    """Waits until test() is true."""
    end = time.monotonic() + seconds
    while not test():
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


@atexit.register
def stop_all():
    for process in list(reversed(started)):
        stop(process)
