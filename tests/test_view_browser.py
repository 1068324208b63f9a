"""The review in a real browser: look, step, edit, reload, two tabs, a server that dies."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from chromium import chromium, needs_chromium
from night_folders import write_recordings, write_results

from rlsmove.records import LEFT
from rlsmove.review import EDITS_FILE, open_night
from rlsmove.view.local_server import ViewServer
from rlsmove.view.served_nights import ServedNights

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    write_recordings(folder / "raw", hours=0.5)
    write_results(folder / "raw", folder / "night")
    return folder / "night"


@pytest.fixture
def night(results, tmp_path):
    return shutil.copytree(results, tmp_path / "night")


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def counted_movement(folder):
    """Onset and duration, in seconds, of a movement of the left leg alone that counts."""
    scoring = open_night(folder).scored.scoring
    off_ms = open_night(folder).detected.sleep.lights_off_ms
    rows = np.flatnonzero((scoring.clm == 1) & (scoring.side == LEFT) & (scoring.onset_ms > off_ms))
    row = rows[len(rows) // 2]
    return scoring.onset_ms[row] / 1000, scoring.duration_ms[row] / 1000


@contextmanager
def serving(folder):
    """Serve from this process; gives the address."""
    with ViewServer(ServedNights(folder, None), reviewer="mk") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.address
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def viewing(folder):
    """Run `rlsmove view` as a user does; gives its process and its address."""
    command = [sys.executable, "-c", "from rlsmove.cli import main; main()", "view", str(folder)]
    process = subprocess.Popen(
        [*command, "--no-browser"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


class Page:
    """What a reviewer does and sees."""

    def __init__(self, driver):
        self.driver = driver

    def wait(self, true, *arguments):
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 15, 0.03).until(lambda _: true(*arguments))

    def open(self, address):
        self.driver.get(address)
        self.wait(lambda: self.driver.execute_script("return document.body.dataset.ready") == "yes")
        self.wait(self.view)

    def step_to(self, moment_s):
        """Look at a moment, and step to the first leg movement from there on."""
        address = self.driver.current_url.split("#")[0]
        self.driver.get("about:blank")
        self.open(f"{address}#from={moment_s - 0.2}&to={moment_s + 19.8}")
        self.press("n")
        self.wait(lambda: "Scored" in self.text("chosen"))

    def element(self, identifier):
        return self.driver.find_element("id", identifier)

    def text(self, identifier):
        # Read in one go: the page may replace its parts at any moment.
        return self.driver.execute_script(
            "return document.getElementById(arguments[0]).textContent", identifier
        )

    def press(self, *keys):
        self.driver.find_element("tag name", "body").send_keys(*keys)

    def view(self):
        """From and to, in seconds, of what was drawn last."""
        data = self.driver.execute_script(
            "const d = document.getElementById('signals').dataset; return [d.from, d.to]"
        )
        return None if None in data else tuple(map(float, data))

    def press_and_see(self, *keys):
        """Press keys and wait for another picture."""
        before = self.view()
        self.press(*keys)
        self.wait(lambda: self.view() != before)
        return self.view()

    def number(self, identifier):
        return float(self.text(identifier))

    def edits(self):
        return len(self.driver.find_elements("css selector", "#edits li"))

    def troubles(self):
        return [line for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]


@pytest.fixture
def page(driver, night):
    with serving(night) as address:
        page = Page(driver)
        page.open(address)
        page.troubles()
        yield page
        assert page.troubles() == []


def test_whole_night_is_shown_first(page, night):
    record = json.loads((night / "night.json").read_text())
    first_s, last_s = page.view()
    assert last_s - first_s >= 1795
    assert page.number("plms_per_hour") == pytest.approx(
        record["indices"]["plms_per_hour"], abs=0.05
    )
    assert page.element("simulated").is_displayed()


def test_pan_and_zoom_reach_one_second_and_stay_within_the_night(page):
    whole = page.view()
    first_s, last_s = page.press_and_see("+")
    assert last_s - first_s == pytest.approx((whole[1] - whole[0]) / 2, abs=0.01)
    before = page.view()
    after = page.press_and_see("\ue014")  # right arrow
    assert after[0] == pytest.approx(before[0] + 0.25 * (before[1] - before[0]), abs=0.01)
    for _ in range(14):
        page.press("+")
    page.wait(lambda: page.view()[1] - page.view()[0] < 1.01)
    page.press("0")
    page.wait(lambda: page.view() == whole)
    page.press("-", "\ue012")
    assert page.view() == whole


def test_stepping_goes_from_movement_to_movement_and_back(page):
    page.press_and_see("n")
    first = page.text("chosen")
    assert "leg movement" in first
    page.press("n")
    page.wait(lambda: page.text("chosen") != first)
    page.press("p")
    page.wait(lambda: page.text("chosen") == first)


def test_rejected_movement_changes_the_index_and_is_kept_over_a_reload(page, night):
    movements = page.number("lm_count")
    page.step_to(counted_movement(night)[0])
    page.press("r")
    page.wait(lambda: page.number("lm_count") == movements - 1)
    assert "as detected" in page.text("indices")
    view = page.view()
    page.wait(lambda: f"{view[0]:.2f}" in page.driver.current_url)
    page.driver.refresh()
    page.wait(lambda: page.edits() == 1)
    assert page.number("lm_count") == movements - 1
    page.wait(lambda: page.view() == pytest.approx(view, abs=0.02))
    page.press("u")
    page.wait(lambda: page.number("lm_count") == movements)
    assert len((night / EDITS_FILE).read_text().splitlines()) == 2


def test_dragging_an_end_changes_a_movement(page, night):
    from selenium.webdriver.common.action_chains import ActionChains

    onset_s, duration_s = counted_movement(night)
    page.step_to(onset_s)
    canvas = page.element("signals")
    left, right = 72, canvas.size["width"] - 4
    first_s, last_s = page.view()
    per_pixel = (last_s - first_s) / (int(right) - left)
    x = left + (onset_s + duration_s - first_s) / per_pixel - canvas.size["width"] / 2
    y = 60 - canvas.size["height"] / 2
    drag = ActionChains(page.driver).move_to_element_with_offset(canvas, round(x), round(y))
    drag.click_and_hold().move_by_offset(40, 0).release().perform()
    page.wait(lambda: page.edits() == 1)
    edit = json.loads((night / EDITS_FILE).read_text())
    assert edit["action"] == "change"
    assert edit["onset_s"] == pytest.approx(onset_s, abs=0.002)
    assert edit["duration_s"] == pytest.approx(duration_s + 40 * per_pixel, abs=3 * per_pixel)


def test_marked_stretch_is_added_with_who_and_why(page, night):
    for name, text in (("onset", "700.5"), ("duration", "1.25"), ("who", "Zoë"), ("why", "<b>hm")):
        page.element(name).clear()
        page.element(name).send_keys(text)
    page.element("add").click()
    page.wait(lambda: page.edits() == 1)
    edit = json.loads((night / EDITS_FILE).read_text())
    wanted = {"who": "Zoë", "why": "<b>hm", "onset_s": 700.5, "duration_s": 1.25}
    assert wanted.items() <= edit.items()
    assert "<b>hm" in page.text("edits")


def test_two_tabs_see_each_others_edits(page, night):
    address = page.driver.current_url
    movements = page.number("lm_count")
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    try:
        page.open(address)
        page.step_to(counted_movement(night)[0])
        page.press("r")
        page.wait(lambda: page.number("lm_count") == movements - 1)
    finally:
        page.driver.close()
        page.driver.switch_to.window(first)
    page.wait(lambda: page.edits() == 1)
    assert page.number("lm_count") == movements - 1


def test_killed_server_loses_no_edit_and_the_page_says_so(driver, night):
    page = Page(driver)
    with viewing(night) as (process, address):
        page.open(address)
        for done in range(1, 4):
            before = page.text("chosen")
            page.press("n")
            page.wait(lambda before=before: page.text("chosen") != before)
            page.press("r")
            page.wait(lambda done=done: page.edits() == done)
        process.send_signal(signal.SIGKILL)
        process.wait()
        page.press("r")
        page.wait(lambda: "the server does not answer" in page.text("trouble"))
        assert page.edits() == 3
    assert len((night / EDITS_FILE).read_text().splitlines()) == 3
    with viewing(night) as (_, address):
        page.open(address)
        assert page.edits() == 3
        assert not page.element("trouble").is_displayed()


def test_markup_in_what_is_shown_stays_text(driver, night):
    attack = "<img src=x onerror=document.title='gone'><script>document.title='gone'</script>"
    edit = {
        "edit": "1",
        "at": attack,
        "who": attack,
        "why": attack,
        "night": json.loads((night / "night.json").read_text())["id"],
        "action": "reject",
    }
    (night / EDITS_FILE).write_text(json.dumps({**edit, "movements": [attack]}) + "\n")
    page = Page(driver)
    with serving(night) as address:
        page.open(address)
        assert attack in page.text("edits")
        assert page.driver.title != "gone"
        assert not page.driver.find_elements("css selector", "#edits img, #edits script")


def test_page_asks_for_nothing_from_elsewhere(driver, night):
    page = Page(driver)
    driver.get_log("performance")
    with serving(night) as address:
        page.open(address)
        events = [json.loads(row["message"])["message"] for row in driver.get_log("performance")]
    asked = {
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    }
    assert asked
    assert all(url.startswith(address) for url in asked)


def test_ranges_of_the_pyramid_agree_with_looking_at_every_point(page):
    rng = np.random.default_rng(3)
    values = rng.integers(-3000, 3000, 100_000)
    values[20_000:30_000] = -32768
    found = page.driver.execute_async_script(
        """
        const [values, stretches, done] = arguments;
        import("./signal_drawing.js").then(({ Pyramid }) => {
          const pyramid = new Pyramid(Int16Array.from(values));
          done(stretches.map(([first, last]) => pyramid.range(first, last)));
        });
        """,
        values.tolist(),
        stretches := [
            [int(first), int(first + length)]
            for length in (1, 3, 40, 700, 9000, 60_000)
            for first in rng.integers(0, 100_000 - length, 12)
        ],
    )
    for (first, last), answer in zip(stretches, found, strict=True):
        margin = (last - first) // 4 + 1

        def spread(low, high):
            part = values[max(low, 0) : high]
            part = part[part != -32768]
            return (part.min(), part.max()) if len(part) else None

        exact, wider = spread(first, last), spread(first - margin, last + margin)
        if answer is None:
            assert exact is None
        elif exact is not None:
            assert wider[0] <= answer[0] <= exact[0]
            assert exact[1] <= answer[1] <= wider[1]
