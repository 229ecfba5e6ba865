#!/usr/bin/env python3
"""Measures devgrant's load engine beside other load generators, and its cost by the number of devices.

    benchmarks/run.py compare    polls per CPU second, against one minimal server
    benchmarks/run.py scaling    memory and CPU from 1,000 to 10,000,000 devices
    benchmarks/run.py capacity   how many waiting devices the embedded server and real ones bear on one core
    benchmarks/run.py all        all three

The server is pinned to the first core, the generator to the second. It installs what it compares with into --tools:
wrk from Debian, vegeta and k6 from Go modules, Locust from PyPI, and builds the programs of benchmarks/peers. Nothing
else should run on the machine. Tables go to standard output as Markdown.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
SERVER_CORE, GENERATOR_CORE = "0", "1"
CONNECTIONS = 64


def note(text):
    print(text, file=sys.stderr, flush=True)


def run(command, **more):
    return subprocess.run([str(part) for part in command], check=True, **more)


def pinned(core, command):
    return ["taskset", "-c", core, *map(str, command)]


class Tools:
    """Where each program is; builds and installs what is missing."""

    def __init__(self, folder, devgrant):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.devgrant = devgrant or self.cargo(ROOT, "devgrant")
        self.server = self.cargo(HERE / "peers", "minimal_server")
        self.reqwest = self.cargo(HERE / "peers", "reqwest_polls")
        self.goose = self.cargo(HERE / "peers", "goose_polls")

    @staticmethod
    def cargo(package, name):
        note(f"building {name}")
        run(["cargo", "build", "--release", "--quiet", "--bin", name], cwd=package)
        described = run(["cargo", "metadata", "--format-version=1", "--no-deps"], cwd=package, capture_output=True)
        return pathlib.Path(json.loads(described.stdout)["target_directory"]) / "release" / name

    def install(self):
        if not shutil.which("wrk"):
            root = [] if os.geteuid() == 0 else ["sudo", "-n"]
            run([*root, "apt-get", "install", "-y", "-qq", "wrk"], stdout=sys.stderr)
        self.vegeta = self.go("vegeta", "github.com/tsenart/vegeta/v12@v12.13.0")
        self.k6 = self.go("k6", "go.k6.io/k6@v1.8.1")
        self.locust = self.folder / "locust" / "bin" / "locust"
        if not self.locust.exists():
            note("installing locust")
            run([sys.executable, "-m", "venv", self.folder / "locust"])
            run([self.folder / "locust" / "bin" / "pip", "install", "--quiet", "locust==2.47.0"])

    def go(self, name, module):
        program = self.folder / name
        if not program.exists():
            note(f"building {name}")
            run(["go", "install", module], env={**os.environ, "GOBIN": str(self.folder), "GOFLAGS": "-mod=mod"})
        return program


@contextlib.contextmanager
def minimal_server(tools, interval):
    """The minimal server on its core; gives its origin."""
    server = subprocess.Popen(
        pinned(SERVER_CORE, [tools.server, "0", str(interval)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield server.stdout.readline().strip()
    finally:
        server.stdin.close()
        server.wait()


def spent(command, **more):
    """Runs a generator on its core: what it printed, its CPU seconds, and its peak memory in bytes."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen(pinned(GENERATOR_CORE, command), stdout=out, stderr=err, **more)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        return process.returncode, out.read(), err.read(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def other(command, count, **more):
    """A generator of somebody else's: requests answered, CPU seconds of the whole process, peak memory."""
    code, out, err, cpu, memory = spent(command, **more)
    try:
        return count(out), cpu, memory
    except (ValueError, AttributeError, IndexError, KeyError) as error:
        raise SystemExit(f"{command[0]} ended with {code} and no count ({error}):\n{out}\n{err}") from error


def last_number(text):
    return int(text.strip().splitlines()[-1])


def generators(tools, origin, seconds):
    """Everybody at full speed on 64 connections."""
    return {
        "wrk": lambda: other(
            ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", HERE / "wrk.lua", f"{origin}/token"],
            lambda out: int(re.search(r"(\d+) requests in", out).group(1)),
        ),
        "reqwest": lambda: other([tools.reqwest, origin, CONNECTIONS, seconds, 0], last_number),
        "Goose": lambda: other(
            [tools.goose, "--host", origin, "-u", CONNECTIONS, "-r", CONNECTIONS, "-t", f"{seconds}s", "-qqq",
             "--no-print-metrics", "--no-telnet", "--no-websocket"],
            last_number,
        ),
        "vegeta": lambda: vegeta(tools, origin, seconds, 0),
        "k6": lambda: k6(tools, origin, seconds, 0),
        "Locust": lambda: other(
            [tools.locust, "-f", HERE / "locustfile.py", "--headless", "-u", CONNECTIONS, "-r", CONNECTIONS, "-t",
             f"{seconds}s", "-H", origin, "--json", "--skip-log"],
            lambda out: sum(entry["num_requests"] - entry["num_failures"] for entry in json.loads(out)),
        ),
    }


def vegeta(tools, origin, seconds, rate):
    poll = (HERE / "wrk.lua").read_text()
    body, target = tools.folder / "body", tools.folder / "target"
    body.write_text("".join(re.findall(r'"((?:grant_type|&)[^"]*)"', poll)))
    target.write_text(f"POST {origin}/token\nContent-Type: application/x-www-form-urlencoded\n@{body}\n")
    attack = [tools.vegeta, "attack", f"-targets={target}", f"-duration={seconds}s",
              f"-rate={rate}", f"-max-workers={CONNECTIONS}", f"-connections={CONNECTIONS}",
              f"-output={tools.folder / 'vegeta.bin'}"]

    def count(_):
        report = run([tools.vegeta, "report", "-type=json", tools.folder / "vegeta.bin"], capture_output=True)
        return json.loads(report.stdout)["status_codes"]["400"]

    return other(attack, count)


def k6(tools, origin, seconds, rate):
    environment = ["-e", f"ORIGIN={origin}", "-e", f"SECONDS={seconds}", "-e", f"RATE={rate}"]
    return other([tools.k6, "run", "--quiet", *environment, HERE / "polls.k6.js"], last_number)


def devgrant(tools, origin, scenario, *flags):
    """A run of devgrant: its report as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        target = folder / "minimal.yaml"
        target.write_text(
            f"target: the minimal server\n"
            f"endpoints: {{ device_authorization: {origin}/code, token: {origin}/token }}\n"
            f"clients: {{ tv: {{ id: tv }} }}\n"
        )
        record = folder / "record.jsonl"
        side = ["--target", target] if origin else ["--server-cores", SERVER_CORE]
        code, out, err, _, _ = spent(
            [tools.devgrant, "load", scenario, *side, "--shards", "1", "--cores", GENERATOR_CORE, "--record", record,
             *flags]
        )
        report = subprocess.run([tools.devgrant, "report", record, "--format", "json"], capture_output=True, text=True)
        try:
            report = json.loads(report.stdout)
        except ValueError as error:
            raise SystemExit(f"devgrant load {scenario} ended with {code} and no record:\n{out}\n{err}") from error
        if report["violations"]:
            raise SystemExit(f"devgrant load {scenario}: violations\n{out}")
        return report


def waiting(tools, origin, devices, interval, duration="1 interval", connections="at_most: 256"):
    """A run of devgrant in which devices wait and nothing else: its report as JSON."""
    text = (HERE / "waiting.yaml.in").read_text()
    words = {"INTERVAL": interval, "DURATION": duration, "CONNECTIONS": connections, "DEVICES": devices}
    for word, value in words.items():
        text = text.replace(word, str(value))
    with tempfile.TemporaryDirectory() as folder:
        scenario = pathlib.Path(folder) / "waiting.yaml"
        scenario.write_text(text)
        return devgrant(tools, origin, scenario)


def judged(report):
    """Answers judged in the measured time, the generator's CPU seconds in it, and its peak memory."""
    answers = sum(row["response"]["count"] for row in report["answers"])
    return answers, *report["generator"]


def row(name, samples, base):
    rates = [count / cpu for count, cpu, _ in samples]
    rate = statistics.median(rates)
    memory = max(memory for _, _, memory in samples) / 1e6
    return f"| {name} | {rate:,.0f} | {rate / base:.2f} | {memory:,.0f} MB |"


def compare(tools, repeats, seconds):
    head = "| generator | polls per CPU second | of wrk | memory |\n|---|--:|--:|--:|"
    with minimal_server(tools, 1) as origin:
        peers = generators(tools, origin, seconds)
        samples = {name: [] for name in ["devgrant", *peers]}
        for turn in range(repeats):
            note(f"full speed, {turn + 1} of {repeats}")
            samples["devgrant"].append(judged(devgrant(tools, origin, HERE / "overdue.yaml")))
            samples["wrk"].append(peers["wrk"]())
        for name in list(peers)[1:]:
            for _ in range(3):
                note(f"full speed: {name}")
                samples[name].append(peers[name]())
        base = statistics.median(count / cpu for count, cpu, _ in samples["wrk"])
        print(f"Full speed on {CONNECTIONS} connections; devgrant and wrk: medians of {repeats}, in turn; others of 3\n")
        print(head)
        for name, of_name in samples.items():
            print(row(name, of_name, base))
        ratios = [(a / b) / (c / d) for (a, b, _), (c, d, _) in zip(samples["devgrant"], samples["wrk"])]
        print(f"\ndevgrant to wrk, pair by pair: {', '.join(f'{ratio:.2f}' for ratio in ratios)}\n")
    with minimal_server(tools, 5) as origin:
        for rate in (5000, 20000):
            paced = {
                "devgrant": lambda: judged(waiting(tools, origin, rate * 5, 5, f"{seconds} s")),
                "reqwest": lambda: other([tools.reqwest, origin, CONNECTIONS, seconds, rate], last_number),
                "vegeta": lambda: vegeta(tools, origin, seconds, rate),
                "k6": lambda: k6(tools, origin, seconds, rate),
            }
            samples = {}
            for name, measure in paced.items():
                note(f"{rate} polls/s: {name}")
                samples[name] = [measure() for _ in range(3)]
            own = statistics.median(count / cpu for count, cpu, _ in samples["devgrant"])
            print(f"{rate:,} polls/s; medians of 3\n\n{head.replace('of wrk', 'of devgrant')}")
            for name, of_name in samples.items():
                print(row(name, of_name, own))
            print()


def scaling(tools, smallest, largest):
    print("| server | devices | interval | polls/s | generator | memory | a device | lag p99 | p50 | server |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")

    def line(name, report, empty):
        polls, cpu, memory = judged(report)
        length, devices = report["seconds"], report["run"]["devices"]
        pending = next(row for row in report["answers"] if row["outcome"] == "pending")
        server = report["server"]
        server = f"{server[0] / length:.2f} of a core, {server[1] / 1e6:,.0f} MB" if server else ""
        each = f"{(memory - empty) / devices:,.0f} B" if empty else ""
        print(f"| {name} | {devices:,} | {report['run']['interval_s']:.0f} s | {polls / length:,.0f} "
              f"| {cpu / length:.3f} of a core | {memory / 1e6:,.1f} MB | {each} "
              f"| {report['lag']['p99'] / 1000:.1f} ms | {pending['response']['p50'] / 1000:.2f} ms | {server} |", flush=True)
        return memory

    empty = 0
    steps = [(1000, 10), (10_000, 10), (100_000, 10), (100_000, 5), (1_000_000, 60), (10_000_000, 300)]
    for devices, interval in steps:
        if smallest <= devices <= largest:
            note(f"{devices} devices")
            with minimal_server(tools, interval) as origin:
                memory = line("minimal", waiting(tools, origin, devices, interval), empty)
                empty = empty or memory
    if smallest > 15_000:
        return
    with minimal_server(tools, 10) as origin:
        note("15000 connections")
        own = "mode: one_per_device, sources: [127.0.0.2, 127.0.0.3]"
        line("minimal, a connection each", waiting(tools, origin, 15_000, 10, connections=own), empty)
    for devices, interval in [(10_000, 10), (100_000, 10), (1_000_000, 60)]:
        note(f"{devices} live codes")
        line("embedded", waiting(tools, None, devices, interval), empty)


CAPACITY = """# How many waiting devices a server bears

Made by `benchmarks/run.py capacity > docs/capacity.md` in one run on {machine}, {date}; devgrant {version}. Nothing here is a promise about another machine: it shows what the search finds, and what each server does wrong first.

How it was obtained: loopback, HTTP/1.1 without TLS. The server is pinned to the first core, the generator (one shard) to the second. `devgrant capacity` doubles the number of devices until a step is not borne, then halves the difference. Each step holds three intervals of 5 s after it settled; besides the devices that wait, 5 devices a second are approved, each one an interval after it came. A step is borne when no answer broke the protocol, no request was without an answer, 99 of 100 polls were answered within 200 ms, and 99 of 100 approvals brought their token within two intervals. Where the generator was the limit, nothing is said of the server. On loopback the kernel does much of the receiver's TCP work in the sender's system call, so the generator pays for a part of what the server would pay on a network.

| server | store | waiting devices | server CPU | waiting devices per server core | what went wrong first |
|---|---|--:|--:|--:|---|
{rows}
"""


# Servers of other people as fixtures/servers starts them: folder, port, what they keep codes in, devices of the first step.
REAL = [
    ("oidc-provider", 4101, "a map in memory (`store.mjs` beside it); the library's own keeps about 500 codes", 250),
    ("dex", 4102, "in memory", 250),
    ("keycloak", 4103, "in memory (Infinispan, local; H2 for the realm)", 250),
    ("better-auth-oauth", 4104, "in memory (the library's memory adapter)", 125),
]


def capacity(tools):
    """All searches, each server on the first core and the generator on the second; a whole page."""
    flags = ["--shards", "1", "--cores", GENERATOR_CORE, "--approvals", "5/s", "--most", "500000"]
    rows, blocks = [], []

    def search(name, store, start, *more):
        note(f"capacity: {name}")
        command = [str(part) for part in [tools.devgrant, "capacity", *flags, "--from", start, *more]]
        text = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.strip()
        note(text)
        if not text:
            raise SystemExit(f"devgrant capacity found nothing about {name}")
        borne = re.search(r"bears ([\d,]+) waiting devices(?: (and more))?", text)
        cores = re.search(r"It used ([\d.]+) cores: ([\d,]+|not limited by CPU)", text)
        wrong = re.search(r"(?:NOT BORNE|generator was the limit)\n\s+(.*)", text)
        rows.append(
            f"| {name} | {store} | {' '.join(filter(None, borne.groups())) if borne else 'none'} "
            f"| {cores.group(1) + ' cores' if cores else ''} | {cores.group(2) if cores else ''} "
            f"| {wrong.group(1).strip() if wrong else 'nothing'} |"
        )
        blocks.append(f"## {name}\n\n```text\n{text}\n```")

    search("embedded server", "in memory, in 256 parts", 10_000, "--server-cores", SERVER_CORE)
    for folder, port, store, start in REAL:
        target = ROOT / "fixtures" / "targets" / f"{folder.removesuffix('-oauth')}.yaml"
        name = re.search(r"^target: (.*)$", target.read_text(), re.M).group(1)
        settings = {**os.environ, "EXPIRES_IN": "600", "ISSUER_PATH": ""}
        command = pinned(SERVER_CORE, [ROOT / "fixtures" / "servers" / folder / "run.sh", port])
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=settings)
        try:
            for _ in range(3000):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.2)
            search(name, store, start, "--target", target, "--server-pid", server.pid, "--wait-ready", "120s")
        finally:
            server.terminate()
            server.wait()
    version = run([tools.devgrant, "--version"], capture_output=True, text=True).stdout.split()[-1]
    machine = f"{os.cpu_count()} cores of {processor()}, {platform.system()} {platform.release().split('-')[0]}"
    date = time.strftime("%d %B %Y")
    print(CAPACITY.format(machine=machine, date=date, version=version, rows="\n".join(rows)))
    print("\n\n".join(blocks))


def processor():
    for text in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if text.startswith("model name"):
            return "a virtual machine (" + text.split(":", 1)[1].strip() + ")"
    return "an unknown processor"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["compare", "scaling", "capacity", "all"])
    parser.add_argument("--tools", type=pathlib.Path, default=ROOT / "target" / "benchmark-tools", help="where they go")
    parser.add_argument("--devgrant", type=pathlib.Path, help="this program in place of one that is built")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=12, help="how long each generator is measured")
    parser.add_argument("--smallest", type=int, default=1000, help="no fewer devices than this")
    parser.add_argument("--largest", type=int, default=10_000_000, help="no more devices than this")
    flags = parser.parse_args()
    tools = Tools(flags.tools.resolve(), flags.devgrant)
    if flags.what != "capacity":
        print(f"{os.cpu_count()} cores of {processor()}, {platform.system()} {platform.release().split('-')[0]}\n")
    if flags.what in ("compare", "all"):
        tools.install()
        compare(tools, flags.repeats, flags.seconds)
    if flags.what in ("scaling", "all"):
        scaling(tools, flags.smallest, flags.largest)
    if flags.what in ("capacity", "all"):
        capacity(tools)


if __name__ == "__main__":
    main()
