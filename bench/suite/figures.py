# SPDX-License-Identifier: Apache-2.0
"""Reading the record of a run: medians over the rounds and their spread."""
from statistics import median

PEERS = ("bun", "deno", "node26", "workerd", "njs", "h2o")


class Figures:
    def __init__(self, results):
        self.results = results
        self.cases = results["figures"]

    def rounds(self, case, subject, field):
        """All rounds' values; raises KeyError with a name when there are none."""
        rows = self.cases.get(case, {}).get(subject, [])
        values = [row[field] for row in rows if field in row]
        if not values:
            raise KeyError(f"{case}: {subject} was not measured")
        return values

    def median(self, case, subject, field="cpu_us"):
        return median(self.rounds(case, subject, field))

    def has(self, case, subject):
        return bool(self.cases.get(case, {}).get(subject))

    def subjects(self, case):
        return list(self.cases.get(case, {}))

    def best_peer(self, case, field="cpu_us"):
        """The peer with the lowest median, and that."""
        there = [(self.median(case, p, field), p) for p in PEERS if self.has(case, p)]
        if not there:
            raise KeyError(f"{case}: no peer was measured")
        value, name = min(there)
        return name, value

    def slope_kib(self, case, subject):
        """Memory for each further lambda: between the second and the last point, as the first
        lambdas also fill what all share."""
        rows = self.cases.get(case, {}).get(subject, [])
        if len(rows) < 2:
            raise KeyError(f"{case}: {subject} was not measured")
        first, last = rows[min(1, len(rows) - 2)], rows[-1]
        return (last["pss_kib"] - first["pss_kib"]) / (last["lambdas"] - first["lambdas"])

    def spread(self, case, subject, field="cpu_us", scale=1.0, digits=1):
        """`median (lowest-highest)`."""
        values = [v * scale for v in self.rounds(case, subject, field)]
        text = f"{median(values):,.{digits}f}"
        if len(values) > 1:
            text += f" ({min(values):,.{digits}f}-{max(values):,.{digits}f})"
        return text
