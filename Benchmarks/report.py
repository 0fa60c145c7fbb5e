"""Prints a measured figure beside its target."""

import statistics


def report(number, what, target, unit, values, at_least=False):
    """The median of the runs, whether it meets the target, and the runs; without a target only what was measured."""
    median = statistics.median(values)
    digits = 1 if median >= 10 else 2
    verdict = ""
    if target is not None:
        sign = ">=" if at_least else "<="
        met = median >= target if at_least else median <= target
        verdict = f"target {sign} {target}{unit:4} {'met' if met else 'MISSED':6}"
    runs = ", ".join(f"{value:,.{digits}f}" for value in values)
    print(f"{number:4} {what:58} {median:12,.{digits}f}{unit:4} {verdict:24} runs: {runs}", flush=True)
