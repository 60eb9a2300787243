"""Makes the generated parts of docs/performance.md, and knows where the meter of multiply-adds is."""

import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent.parent

SKELETON = """# How fast it is

<!-- peers -->
<!-- /peers -->

<!-- scaling -->
<!-- /scaling -->
"""

METHOD = """Every round runs taut, its peers and taut on one thread in turn, and before them the machine's multiply-adds; a ratio is of
two times of one round. Shown are medians, with the smallest and the largest of all rounds. taut's time is of a whole
process: start-up, reading, tables in parquet. A peer's time has none of it: neither its start nor its imports nor compilation
nor writing. Peers may do fewer cells and steps than taut, as the table says; times are per unit of work. Before the rounds, each
pair is given the same numbers from files and must end at the same ones; *differ* is the largest relative difference over all cells of the
loss and of a second number (largest singular value, sharpness, ℓ₁ norm, bending energy) at the end, which taut tells with nine
digits. Save times of a geometric grid that coincide count once (175 of 200). Peers in threads have
as many as taut; *a process per core* deals the cells to as many processes instead, with one thread each."""


def meter():
    """The program that measures multiply-adds, built where cargo is; nothing where that is not, or fails."""
    if not shutil.which("cargo"):
        return None
    target = Path(os.environ.get("CARGO_TARGET_DIR", HOME / "target"))
    print(f"building the meter of multiply-adds in {target} where it is not there yet", file=sys.stderr)
    command = ["cargo", "build", "--release", "--quiet", "-p", "taut-numerics", "--example", "multiply_add_peak"]
    done = subprocess.run(command, cwd=HOME, env={**os.environ, "CARGO_TARGET_DIR": str(target)}, capture_output=True)
    return target / "release/examples/multiply_add_peak" if done.returncode == 0 else None


def spread(values):
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def summary(cases, rounds, checks, setting):
    """Everything that the page says, as numbers."""
    out = {**setting, "rounds": len(rounds), "cases": []}
    peaks = [one["peak"]["gflops"] for one in rounds if one["peak"]]
    out["peak"] = spread(peaks) if peaks else None
    out["packages"] = sorted({name for one in rounds for case in cases for name in one[case.name].get("packages", [])})
    for case in cases:
        here = [one[case.name] for one in rounds]
        entry = {
            "name": case.name, "title": case.title, "unit": case.unit, "cells": case.cells, "steps": case.steps,
            "taut": spread([one["taut"] for one in here]), "seconds": spread([one["seconds"] for one in here]),
            "start_up": min(one["start_up"] for one in here), "aim_of_peak": case.aim_of_peak, "peers": [],
        }
        if all(one["writing"] is not None for one in here):
            entry["writing"] = spread([one["writing"] / one["seconds"] for one in here])
            entry["waited"] = spread([(one["waited"] or 0.0) / one["seconds"] for one in here])
        if "one_thread" in here[0]:
            entry["factor"] = spread([one["one_thread"] / one["seconds"] for one in here])
        if case.flops and peaks:
            flops = case.flops * case.cells * case.steps
            entry["share_of_peak"] = spread([flops / one[case.name]["seconds"] * 1e-9 / one["peak"]["gflops"] for one in rounds])
            moving = [max(one["seconds"] - one["start_up"], 1e-9) for one in here]
            entry["share_without_start_up"] = spread(
                [flops / seconds * 1e-9 / one["peak"]["gflops"] for seconds, one in zip(moving, rounds)]
            )
        for peer in case.peers:
            if peer.name not in here[0]["peers"]:
                continue
            times = [one["peers"][peer.name] for one in here]
            entry["peers"].append({
                "name": peer.name, "cells": peer.cells, "steps": peer.steps, "aim": peer.aim, "time": spread(times),
                "ratio": spread([theirs / one["taut"] for theirs, one in zip(times, here)]),
                "differ": checks[case.name][peer.name],
            })
        out["cases"].append(entry)
    return out


def short(x):
    """Three digits."""
    if x == 0:
        return "0"
    return f"{x:,.0f}" if abs(x) >= 100 else f"{x:.3g}"


def ratio(found):
    return f"{short(found['median'])} ({short(found['least'])} to {short(found['most'])})"


def percent(found):
    return f"{100 * found['median']:.0f} %" if found["median"] >= 0.1 else f"{100 * found['median']:.1f} %"


def comparison(found):
    """The page's part about the peers."""
    machine, threads = found["machine"], found["threads"]
    lines = []
    if found["quick"]:
        lines += ["**Tiny sizes, to see that everything runs. No figure below says anything about speed.**", ""]
    peak = f"{short(found['peak']['median'])} Gflop/s of fused multiply-adds on {threads} threads" if found["peak"] else "multiply-adds not measured"
    lines += [
        f"Measured {found['date']} on {machine['model']}, {machine['cores']} cores, {machine['vectors']}: {peak}, in the same run. "
        f"{found['taut']}, {threads} threads, float64; Python {found['python']}" + "".join(f", {name}" for name in found["packages"])
        + f"; {found['rounds']} round{'s' if found['rounds'] > 1 else ''}."
        + (f" Not installed and left out: {', '.join(found['skipped'])}." if found["skipped"] else ""),
        "", "```sh", f"python scripts/compare_peers.py{' --quick' if found['quick'] else ''}", "```", "", METHOD, "",
        "| work | cells × steps | µs per | taut | peer | its cells × steps | its µs | times as fast | aim | differ |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case in found["cases"]:
        mine = f"| {case['title']} | {case['cells']:,} × {case['steps']:,} | {case['unit']} | {short(case['taut']['median'])} "
        for peer in case["peers"] or [None]:
            if peer is None:
                lines.append(mine + "| none here | | | | | |")
                continue
            aim = short(peer["aim"]) if peer["aim"] else ""
            lines.append(
                mine + f"| {peer['name']} | {peer['cells']:,} × {peer['steps']:,} | {short(peer['time']['median'])} "
                f"| **{short(peer['ratio']['median'])}** ({short(peer['ratio']['least'])} to {short(peer['ratio']['most'])}) | {aim} "
                f"| {peer['differ']:.0e} |"
            )
            mine = "| | | | "
    lines += [
        "", "What taut's own time is made of. *Start-up* is a whole run of one cell over ten steps (closed forms: one cell). The share of the peak is of the flops that the step needs "
        "once Sxx is diagonal, 3N − 3 products for N factors (of entries: four products, and three with the observed ones alone); once of the whole process, once without start-up. "
        "*Writing* is the time on a clock for which the writer, a thread of its own, has something to do, as a share of the run; *waited for* is how long nothing "
        "else was left to do, until its last file is safe on disk.", "",
        f"| work | seconds | start-up | share of the peak | without start-up | aim | {threads} threads against one | writing | waited for |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for case in found["cases"]:
        has = lambda key, show: show(case[key]) if key in case else ""  # noqa: E731
        aim = f"{100 * case['aim_of_peak']:.0f} %" if case["aim_of_peak"] else ""
        unknown = "not reported"
        lines.append(
            f"| {case['title']} | {short(case['seconds']['median'])} | {short(case['start_up'])} | {has('share_of_peak', percent)} "
            f"| {has('share_without_start_up', percent)} | {aim} | {has('factor', ratio)} "
            f"| {has('writing', percent) or unknown} | {has('waited', percent) or unknown} |"
        )
    if found["plateau"]:
        lines += ["", f"The published study of the sharpness plateau that the third row stands for (1600 runs, 13.2 million steps, theory and "
                  f"claims included): {short(found['plateau'])} s in all; the aim is 60."]
    lines += ["", *below(found)]
    return "\n".join(lines)


def below(found):
    """Where taut is not ahead, or falls short of an aim; in words, so that nobody has to look for it."""
    if found["quick"]:
        return []
    lines = []
    for case in found["cases"]:
        for peer in case["peers"]:
            median = peer["ratio"]["median"]
            if median < 1:
                lines.append(f"* {case['title']}: {peer['name']} is ahead, {short(1 / median)} times as fast.")
            elif peer["aim"] and median < peer["aim"]:
                lines.append(f"* {case['title']}: {short(median)} times {peer['name']}, the aim was {short(peer['aim'])}.")
        if case["aim_of_peak"] and "share_of_peak" in case and case["share_of_peak"]["median"] < case["aim_of_peak"]:
            lines.append(f"* {case['title']}: {percent(case['share_of_peak'])} of the peak, the aim was {100 * case['aim_of_peak']:.0f} %.")
        if "factor" in case and found["threads"] == 2 and case["factor"]["median"] < 1.9:
            lines.append(f"* {case['title']}: two threads {short(case['factor']['median'])} times one, the aim was 1.9.")
        if "writing" in case and case["writing"]["median"] > 0.03:
            lines.append(f"* {case['title']}: writing takes {percent(case['writing'])} of wall time, the aim was 3 %.")
    if found["plateau"] and found["plateau"] > 60:
        lines.append(f"* The whole sharpness study: {short(found['plateau'])} s, the aim was 60.")
    ahead = all(peer["ratio"]["median"] >= 1 for case in found["cases"] for peer in case["peers"])
    said = ["taut is ahead of every peer above."] if ahead else []
    return [*said, *(["Short of what was aimed at:", "", *lines] if lines else ["Every aim is met."])]


def put(page, name, text):
    """Sets what stands between <!-- name --> and <!-- /name --> on the page."""
    page = Path(page)
    old = page.read_text() if page.exists() else SKELETON
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if begin not in old or end not in old:
        raise SystemExit(f"{page} has no part between {begin} and {end}")
    page.write_text(old[: old.index(begin) + len(begin)] + "\n" + text + "\n" + old[old.index(end):])
