#!/usr/bin/env python3
"""Opens reports in headless Chromium and holds them against what the documentation promises.

    scripts/check_report.py --taut target/release/taut            # makes the reports of four studies first
    scripts/check_report.py results/my_study/report.html --shots /tmp/shots

For every report: nothing in the console, no request but for the file itself, every figure and player drawn, sliders and
players move by keyboard, the theme changes, text has the contrast of WCAG 2 AA in both themes, nothing scrolls sideways
at 390 px, and markup inside a study stays text.

Needs Chromium with its driver (Debian: apt-get install chromium chromium-driver), which it installs itself where it may,
and Python 3.11. Selenium comes into an environment of its own, kept in $TAUT_CI_CACHE or ~/.cache/taut.

Exit codes: 0 all is well, 1 a check failed, 2 usage, 69 there is no browser.
"""

import argparse
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
REQUIREMENTS = HERE / "check_report_requirements.txt"
PROBES = HERE / "check_report_probes.js"

STUDIES = [
    "experiments/panel_polynomial.toml",
    "experiments/saxe_modes.toml",
    "experiments/double_descent_isotropic.toml",
    "tests/studies/hostile_report.toml",
]
# Stands in every text of the hostile study that a report shows.
HOSTILE = "<script>window.hacked=1</script>"

WIDE, NARROW = (1280, 900), (390, 844)
LARGEST_BYTES = 10_000_000
SECONDS_TO_DRAW = 60
MOST_TABS = 900
SHOT_HEIGHT = 4000
NO_BROWSER = 69


# ------------------------------------------------------------------------------------------------ what is needed


def environment():
    """The Python of an environment with Selenium, made once for these requirements."""
    sum_ = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    cache = Path(os.environ.get("TAUT_CI_CACHE") or Path.home() / ".cache" / "taut")
    home = cache / f"check-report-{sum_}"
    if not (home / "ready").exists():
        # Beside its place and then renamed: a second check at the same time finds all of it or nothing.
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            made = Path(scratch) / "venv"
            subprocess.run([sys.executable, "-m", "venv", made], check=True)
            pip = [made / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--no-deps", "-r", REQUIREMENTS], check=True)
            (made / "ready").touch()
            with contextlib.suppress(OSError):
                made.rename(home)
    return home / "bin" / "python"


def browser():
    """Paths of Chromium and its driver."""
    names = [("chromium", "chromium-browser", "google-chrome"), ("chromedriver", "chromium-driver")]
    found = [next(filter(None, map(shutil.which, group)), None) for group in names]
    if all(found):
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("check_report: installing chromium and chromium-driver", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium", "chromium-driver"]
        if subprocess.run(install, check=False, **quiet).returncode != 0:
            subprocess.run(["apt-get", "update"], check=False, **quiet)
            subprocess.run(install, check=False, **quiet)
        found = [next(filter(None, map(shutil.which, group)), None) for group in names]
    if not all(found):
        print(
            "check_report: there is no Chromium with its driver here.\n"
            "  Debian and Ubuntu: sudo apt-get install chromium chromium-driver",
            file=sys.stderr,
        )
        sys.exit(NO_BROWSER)
    return found


@contextlib.contextmanager
def opened(chromium, driver_path):
    """A browser without a window, a profile or a network."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory() as profile:
        options = Options()
        options.binary_location = chromium
        for flag in [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND",
        ]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(executable_path=driver_path))
        try:
            yield driver
        finally:
            driver.quit()


def reports(taut, work):
    """Runs the studies and writes their reports."""
    for study in STUDIES:
        folder = work / Path(study).stem
        print(f"check_report: {study}", flush=True)
        for command in (["run", REPOSITORY / study, "--out", folder, "--quiet"], ["report", folder]):
            if (code := subprocess.run([taut, *command], check=False).returncode) != 0:
                sys.exit(f"check_report: taut {' '.join(map(str, command))} ended with {code}")
        yield folder / "report.html"


# ---------------------------------------------------------------------------------------------------- the checks


class Report:
    """One report, open in the browser, and what was found wrong with it."""

    def __init__(self, driver, path):
        self.driver, self.path, self.wrong, self.said = driver, path, [], []

    def demand(self, holds, complaint):
        if not holds:
            self.wrong.append(complaint)

    def ask(self, expression):
        return self.driver.execute_script(f"return {expression}")

    def probe(self, name):
        return self.ask(f"window.probes.{name}()")

    def press(self, *keys):
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def wait(self, condition, seconds=5.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.05)
        return False

    def screen(self, size, theme="light"):
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == NARROW},
        )
        scheme = [{"name": "prefers-color-scheme", "value": theme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})

    def load(self):
        # What is left in the logs is of the page before.
        self.driver.get("about:blank")
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        self.driver.get(self.path.as_uri())
        drawn = self.wait(self.is_drawn, SECONDS_TO_DRAW)
        self.driver.execute_script(PROBES.read_text())
        self.demand(drawn, f"not drawn after {SECONDS_TO_DRAW} s: {self.undrawn()}")

    def is_drawn(self):
        return not self.undrawn()

    def undrawn(self):
        return self.ask(
            """[...document.querySelectorAll('figure[data-specification]')]
                .filter((figure) => figure.dataset.drawn !== 'true')
                .concat([...document.querySelectorAll('.taut-player')].filter((player) => !player.querySelector('svg')))
                .map((element) => element.dataset.name || element.id || element.className)"""
        )

    # ------------------------------------------------------------------------------------------------ one by one

    def check_size(self):
        size = self.path.stat().st_size
        self.demand(size < LARGEST_BYTES, f"{size / 1e6:.1f} MB; below {LARGEST_BYTES / 1e6:.0f} MB was promised")
        self.said.append(f"{size / 1e6:.1f} MB")

    def check_console(self):
        for entry in self.driver.get_log("browser"):
            self.wrong.append(f"console, {entry['level'].lower()}: {entry['message'][:300]}")

    def check_requests(self):
        own, count = self.path.as_uri(), 0
        for entry in self.driver.get_log("performance"):
            event = json.loads(entry["message"])["message"]
            if event["method"] not in ("Network.requestWillBeSent", "Network.webSocketCreated"):
                continue
            url = event["params"].get("url") or event["params"]["request"]["url"]
            count += url == own
            inside = url == own or url.startswith(("data:", "blob:", "about:"))
            self.demand(inside, f"asks the network for {url[:200]}")
        # A log that does not even know the page itself would prove nothing.
        self.demand(count > 0, "the request for the page itself is not in the log: the log proves nothing")

    def check_drawn(self):
        figures, players = self.probe("figures"), self.probe("players")
        self.demand(figures or players, "neither a figure nor a player")
        for figure in figures:
            shown = figure["marks"] > 0 or figure["colours"] > 2
            self.demand(figure["drawn"] and shown, f"figure {figure['name']} is empty: {figure}")
        for player in players:
            self.demand(player["marks"] > 10 and player["readout"] > 0, f"the player is empty: {player}")
        marks = sum(drawing["marks"] for drawing in figures + players)
        canvases = sum(figure["colours"] > 0 for figure in figures)
        self.said.append(f"{len(figures)} figures ({canvases} on canvas), {len(players)} players, {marks} marks")

    def tab_to(self, selector):
        """Whether the tabulator reaches an element, from the top of the page."""
        from selenium.webdriver.common.keys import Keys

        self.driver.execute_script("window.scrollTo(0, 0); document.activeElement.blur()")
        self.driver.execute_cdp_cmd("Page.bringToFront", {})
        for _ in range(MOST_TABS):
            self.press(Keys.TAB)
            if self.ask(f"document.activeElement.matches({json.dumps(selector)})"):
                return True
        return False

    def check_sliders(self):
        from selenium.webdriver.common.keys import Keys

        for at in range(self.ask("document.querySelectorAll('figure .slider input').length")):
            slider = f"document.querySelectorAll('figure .slider input')[{at}]"
            said = f"{slider}.closest('.slider').querySelector('output').textContent"
            self.driver.execute_script(f"{slider}.focus()")
            before = self.ask(said)
            self.press(Keys.ARROW_LEFT)
            self.demand(self.ask(said) != before, f"slider {at + 1} stays at {before!r} under the arrow key")
            self.press(Keys.ARROW_RIGHT)
        if self.ask("document.querySelector('figure .slider input') !== null"):
            self.demand(self.tab_to("figure .slider input"), "the tabulator does not reach the slider of a figure")

    def check_player(self):
        from selenium.webdriver.common.keys import Keys

        if not self.ask("document.querySelector('.taut-player') !== null"):
            return
        player = "document.querySelector('.taut-player')"
        readout = f"{player}.innerText + {player}.querySelector('input[type=range]').value"
        moment = f"Number({player}.querySelector('input[type=range]').value)"
        if not self.demand_tab(".taut-player button.tp-play", "the player's button"):
            return
        before = self.ask(readout)
        self.press(Keys.SPACE)
        moving = self.wait(lambda: self.ask(readout) != before)
        self.demand(moving, "space on the player's button does not start it: the readout stays")
        self.press(Keys.SPACE)
        time.sleep(0.3)
        at_rest = self.ask(readout)
        time.sleep(0.7)
        self.demand(self.ask(readout) == at_rest, "space on the player's button does not stop it")
        if not self.demand_tab(".taut-player input[type=range]", "the player's slider"):
            return
        self.press(Keys.HOME)
        start, said = self.ask(moment), self.ask(readout)
        self.demand(start == 0, f"Home leads to moment {start}")
        self.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
        self.demand(self.ask(moment) > start, "the arrow keys do not move the player's slider")
        self.demand(self.wait(lambda: self.ask(readout) != said), "the player's readout does not follow its slider")
        self.press(Keys.END)
        self.demand(self.ask(moment) > start + 1, "End does not lead to the end")

    def demand_tab(self, selector, what):
        reached = self.tab_to(selector)
        self.demand(reached, f"the tabulator does not reach {what}")
        return reached

    def check_theme(self):
        from selenium.webdriver.common.keys import Keys

        ground = "getComputedStyle(document.documentElement).backgroundColor"
        theme = "document.documentElement.dataset.theme"
        before, was = self.ask(ground), self.ask(theme)
        self.demand(was == "light", f"the theme is {was} where the system asks for light")
        self.driver.execute_script("document.getElementById('theme').focus()")
        self.press(Keys.ENTER)
        changed = self.wait(lambda: self.ask(ground) != before)
        self.demand(changed and self.ask(theme) == "dark", "the theme button does not make the page dark")
        self.demand(self.wait(self.is_drawn, SECONDS_TO_DRAW), "figures are gone in the dark theme")
        self.press(Keys.ENTER)
        self.demand(self.wait(lambda: self.ask(ground) == before), "the theme button does not lead back")
        # Remembered, it would decide about the next report.
        self.driver.execute_script("try { localStorage.clear() } catch {}")

    def check_words(self, place):
        for found in self.probe("faint"):
            self.wrong.append(f"{place}: too little contrast, {found}")
        for found in self.probe("collisions"):
            self.wrong.append(f"{place}: {found}")

    def check_names(self):
        for found in self.probe("unnamed"):
            self.wrong.append(f"says no name: {found}")

    def check_width(self, place):
        scroll, client = (self.ask(f"document.documentElement.{which}Width") for which in ("scroll", "client"))
        self.demand(scroll <= client, f"{place}: scrolls sideways, {scroll} px of content in {client} px")
        for found in self.probe("overflowing"):
            self.wrong.append(f"{place}: reaches beyond the edge, {found}")
        for found in self.probe("squeezed"):
            self.wrong.append(f"{place}: a picture is wider than its place, {found}")

    def check_inert(self):
        self.demand(self.ask("window.hacked === undefined"), "markup of the study ran as a script")
        for found in self.probe("strangers"):
            self.wrong.append(f"an element or handler that no report has: {found}")
        if self.path.parent.name == "hostile_report":
            for where in ("document.title", "document.querySelector('h1').innerText", "document.body.innerText"):
                self.demand(HOSTILE in self.ask(where), f"{where} does not show the markup as text")

    # --------------------------------------------------------------------------------------------------- together

    def check(self, shots):
        self.check_size()
        for size, theme in [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")]:
            place = f"{theme}, {size[0]} px"
            self.screen(size, theme)
            self.load()
            self.check_requests()
            self.check_drawn() if (size, theme) == (WIDE, "light") else None
            self.check_width(place)
            self.check_words(place)
            if shots:
                self.shoot(shots / f"{self.path.parent.name}-{theme}-{size[0]}", size[0])
            if (size, theme) == (WIDE, "light"):
                self.check_inert()
                self.check_names()
                self.check_sliders()
                self.check_player()
                self.check_theme()
            self.check_console()
        return not self.wrong

    def shoot(self, stem, width):
        """The whole page, in pieces that a browser can paint at once."""
        import base64

        whole = self.ask("document.documentElement.scrollHeight")
        for at, top in enumerate(range(0, whole, SHOT_HEIGHT)):
            clip = {"x": 0, "y": top, "width": width, "height": min(SHOT_HEIGHT, whole - top), "scale": 1}
            picture = {"captureBeyondViewport": True, "clip": clip}
            png = self.driver.execute_cdp_cmd("Page.captureScreenshot", picture)
            Path(f"{stem}-{at + 1}.png").write_bytes(base64.b64decode(png["data"]))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("reports", nargs="*", type=Path, help="reports to open")
    options.add_argument("--taut", type=Path, help="the binary that makes reports of four studies anew")
    options.add_argument("--shots", type=Path, metavar="DIR", help="where pictures of every page go")
    given = options.parse_args()
    if bool(given.reports) == bool(given.taut):
        options.error("give either reports or --taut")
    missing = [str(path) for path in [*given.reports, *filter(None, [given.taut])] if not path.is_file()]
    if missing:
        options.error(f"there is no file {', '.join(missing)}")

    chromium, driver_path = browser()
    python = environment()
    if Path(sys.prefix).resolve() != python.parent.parent.resolve():
        os.execv(python, [str(python), str(Path(__file__).resolve()), *sys.argv[1:]])

    if given.shots:
        given.shots.mkdir(parents=True, exist_ok=True)
    failed, count = False, 0
    with tempfile.TemporaryDirectory() as work, opened(chromium, driver_path) as driver:
        paths = given.reports or reports(given.taut.resolve(), Path(work))
        for path in paths:
            started = time.monotonic()
            report = Report(driver, path.resolve())
            fine = report.check(given.shots)
            count += 1
            failed |= not fine
            seconds = time.monotonic() - started
            print(f"{'ok    ' if fine else 'FAILED'} {path.parent.name}: {', '.join(report.said)} ({seconds:.0f} s)")
            for complaint in dict.fromkeys(report.wrong):
                print(f"       {complaint}")
            sys.stdout.flush()
    print(f"check_report: {count} reports, {'something is wrong' if failed else 'all is well'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
