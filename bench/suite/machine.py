# SPDX-License-Identifier: Apache-2.0
"""What the kernel tells of this machine and of processes: CPU time, memory, pages."""
import os
import platform
import subprocess
from pathlib import Path

SERVER_CORE, LOAD_CORE = 0, 1
TICK = os.sysconf("SC_CLK_TCK")


def first_line(command):
    """The first line that a command prints, or None where it cannot run."""
    try:
        out = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except OSError:
        return None
    lines = (out.stdout or out.stderr).strip().splitlines()
    return lines[0] if lines else None


def describe():
    """The machine that the figures belong to."""
    info = dict(
        line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line
    )
    info = {k.strip(): v.strip() for k, v in info.items()}
    memory = Path("/proc/meminfo").read_text().split()[1]
    return {
        "cpu": f"{info['model name']} (family {info['cpu family']}, model {info['model']})",
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory) / 2**20, 1),
        "kernel": platform.release(),
        "system": next((line.split("=")[1].strip('"') for line in
                        Path("/etc/os-release").read_text().splitlines()
                        if line.startswith("PRETTY_NAME")), "unknown"),
        "load_at_start": os.getloadavg()[0],
    }


def tree(pid):
    """A process and all that descend from it."""
    pids, at = [pid], 0
    while at < len(pids):
        for task in Path(f"/proc/{pids[at]}/task").glob("*/children"):
            try:
                pids += [int(child) for child in task.read_text().split()]
            except OSError:
                pass
        at += 1
    return pids


def cpu_us(pids):
    """CPU time so far of processes with their threads, us. The scheduler's own count in ns;
    a thread that has ended since is in no later count."""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(task.read_text().split()[0])
            except OSError:
                pass
    return total / 1e3


def memory_kib(pids):
    """Resident and proportional size of processes: KiB."""
    sums = {"Rss": 0, "Pss": 0}
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in sums:
                sums[name] += int(value.split()[0])
    return {"rss_kib": sums["Rss"], "pss_kib": sums["Pss"]}


def pin(pid, cores):
    """Binds a process with its threads, and what they start, to cores."""
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), cores)
