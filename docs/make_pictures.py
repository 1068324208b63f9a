"""Make the pictures of the documentation from the simulated sample data.

``python docs/make_pictures.py`` writes docs/pictures/*.svg, and view.png where Chromium and its
driver are installed (Debian: chromium, chromium-driver) with the extra ``test``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from matplotlib.figure import Figure

from rlsmove.report.figure_svg import WIDE_IN, in_daylight, page_style, svg_of
from rlsmove.report.night_facts import night_facts
from rlsmove.report.night_figures import overview, raster
from rlsmove.report.study_facts import read_study_facts
from rlsmove.report.study_figures import forest, forest_rows, nights_figure
from rlsmove.review import open_night
from rlsmove.review.recorded_signal import recorded_signals

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
PERSON, NIGHT = "sim-01", "2026-03-03"


def write_svg(figure: Figure, name: str, alt: str) -> None:
    """Write a figure as a file of its own, on white."""
    svg = in_daylight(svg_of(figure, alt, name=name))
    start = svg.index(">") + 1
    paper = '<rect width="100%" height="100%" fill="#ffffff"/>'
    said = (
        '<text x="99%" y="99%" text-anchor="end" font-family="sans-serif" font-size="8" '
        'fill="#5f6368">simulated data</text>'
    )
    marked = svg[:start] + paper + svg[start:].replace("</svg>", f"{said}</svg>")
    (PICTURES / f"{name}.svg").write_text(f"{marked}\n")


def write_view(night: Path, recordings: Path) -> None:
    """Write a picture of the review in a browser."""
    from selenium import webdriver
    from selenium.webdriver.support.ui import WebDriverWait

    from rlsmove.view.local_server import ViewServer
    from rlsmove.view.served_nights import ServedNights

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    with ViewServer(ServedNights(night, recordings), reviewer="reviewer") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            plm = open_night(night).scored.scoring
            onset_s = plm.onset_ms[plm.plm == 1][20] / 1000
            driver.get(f"{server.address}#from={onset_s - 60}&to={onset_s + 90}")
            ready = "return document.getElementById('signals').dataset.drawn > 0"
            WebDriverWait(driver, 20).until(lambda _: driver.execute_script(ready))
            driver.find_element("id", "next").click()
            driver.find_element("id", "zoom-out").click()
            WebDriverWait(driver, 5).until(
                lambda _: "Scored" in driver.find_element("id", "chosen").text
            )
            driver.save_screenshot(str(PICTURES / "view.png"))
        finally:
            server.shutdown()
            driver.quit()


def main() -> None:
    """Analyze a copy of the sample study, and draw its night, its person and itself."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder) / "study"
        shutil.copytree(ROOT / "sample_data" / "study", study)
        for command in ("batch", "compare"):
            code = "from rlsmove.cli import main; main()"
            subprocess.run([sys.executable, "-c", code, command, str(study)], check=True)
        night = study / "derived" / "nights" / PERSON / NIGHT
        opened = open_night(night)
        facts = night_facts(opened, recorded_signals(opened))
        comparison = read_study_facts(study)
        standings = comparison.standings(PERSON)
        index = "PLMS per hour of sleep"
        with page_style():
            write_svg(overview(facts), "night", f"Simulated night of {NIGHT} at a glance.")
            write_svg(raster(facts), "night-by-hour", f"Simulated night of {NIGHT}, hour by hour.")
            write_svg(
                nights_figure(standings, index, width_in=WIDE_IN, height_in=2.6),
                "person",
                f"{index} of a simulated person, night by night.",
            )
            rows = forest_rows(comparison.comparison)
            margin = comparison.comparison["settings"]["margin"]
            write_svg(forest(rows, margin), "study", "Forest plot of two simulated persons.")
        if shutil.which("chromium") and shutil.which("chromedriver"):
            write_view(night, study / "raw")


if __name__ == "__main__":
    main()
