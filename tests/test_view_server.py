"""The server of the review: to whom it answers, what it takes, what it keeps."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

import numpy as np
import pytest
from night_folders import write_recordings, write_results

from rlsmove.errors import OutputError, ResultError
from rlsmove.results.night_npz import read_night_file
from rlsmove.review import EDITS_FILE, open_night, reviewed_indices
from rlsmove.signal.kept_signal import signal_strength
from rlsmove.view.local_server import BODY_MAX, ViewServer
from rlsmove.view.served_nights import TEXT_MAX, ServedNights


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("view")
    write_recordings(folder / "raw")
    write_results(folder / "raw", folder / "night")
    write_results(folder / "raw", folder / "light", keep_signal=False)
    return folder


@pytest.fixture
def night(results, tmp_path):
    return shutil.copytree(results / "night", tmp_path / "night")


@contextmanager
def serving(folder, recordings=None):
    with ViewServer(ServedNights(folder, recordings), reviewer="mk") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Browser:
    """Asks as the page does, with headers that a test may change."""

    def __init__(self, server, name="night"):
        self.base = urlsplit(server.address)
        self.night = f"{self.base.path}nights/{name}"

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.base.hostname, self.base.port, timeout=20)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body=body, headers=given)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def state(self):
        status, content, _ = self.ask("GET", f"{self.night}/state")
        assert status == 200
        return json.loads(content)

    def edit(self, action, **fields):
        body = json.dumps({"who": "mk", "why": "", "action": action, **fields})
        status, content, _ = self.ask(
            "POST", f"{self.night}/edits", body, Content_Type="application/json"
        )
        return status, json.loads(content)


@pytest.fixture
def browser(night):
    with serving(night) as server:
        yield Browser(server)


def first_plm(state):
    return next(item for item in state["items"] if item["plm"])


def test_page_and_its_parts_are_served_with_closed_doors(browser):
    for part, kind in (("", "text/html"), ("view.js", "javascript"), ("view.css", "text/css")):
        status, content, headers = browser.ask("GET", browser.base.path + part)
        assert status == 200
        assert content
        assert kind in headers["Content-Type"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/nights", "//", "/%00/", "/../"])
def test_wrong_secret_is_refused(path, browser):
    assert browser.ask("GET", path)[0] == 403
    assert browser.ask("POST", path, "{}", Content_Type="application/json")[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
    ids=["other-name", "other-page", "file-page", "cross-site"],
)
def test_other_pages_are_refused_even_with_the_secret(headers, browser):
    status, content, _ = browser.ask("GET", f"{browser.night}/state", **headers)
    assert status == 403
    assert b"start_time" not in content
    body = json.dumps({"who": "", "why": "", "action": "undo", "undoes": "x"})
    given = {"Content_Type": "application/json", **headers}
    assert browser.ask("POST", f"{browser.night}/edits", body, **given)[0] == 403


def test_only_loopback_is_listened_on(browser):
    assert browser.base.hostname == "127.0.0.1"


def test_secret_differs_from_start_to_start(night):
    nights = ServedNights(night, None)
    with ViewServer(nights, reviewer="") as one, ViewServer(nights, reviewer="") as other:
        assert one.token != other.token
        assert len(one.token) >= 32


def test_taken_port_is_named(night):
    nights = ServedNights(night, None)
    with (
        ViewServer(nights, reviewer="") as one,
        pytest.raises(OutputError, match=str(one.server_port)),
    ):
        ViewServer(nights, reviewer="", port=one.server_port)


def test_signal_is_the_kept_one_point_by_point(browser, night):
    kept = read_night_file(night / "night.npz").legs[1].signal
    _, samples, _ = browser.ask("GET", f"{browser.night}/samples/1")
    np.testing.assert_array_equal(np.frombuffer(samples, "<i2").reshape(-1, 3), kept.counts)
    _, strength, _ = browser.ask("GET", f"{browser.night}/strength/1")
    shown = np.frombuffer(strength, "<i2")
    wanted = np.minimum(100 * signal_strength(kept), 32767)
    assert np.max(np.abs(shown - wanted)) <= 1
    assert browser.state()["legs"][1]["clock"] == [kept.start_s, kept.step_s, len(kept)]


def test_signal_that_was_not_kept_comes_from_the_recordings(results):
    with serving(results / "light", results / "raw") as server:
        browser = Browser(server, "light")
        browser.state()
        _, again, _ = browser.ask("GET", f"{browser.night}/samples/1")
        clock = browser.state()["legs"][1]["clock"]
    kept = read_night_file(results / "night" / "night.npz").legs[1].signal
    np.testing.assert_array_equal(np.frombuffer(again, "<i2").reshape(-1, 3), kept.counts)
    np.testing.assert_allclose(clock[:2], [kept.start_s, kept.step_s], rtol=0, atol=1e-5)


def test_night_can_be_reviewed_without_any_signal(results, tmp_path):
    folder = shutil.copytree(results / "light", tmp_path / "light")
    with serving(folder) as server:
        state = Browser(server, "light").state()
        assert [leg["clock"] for leg in state["legs"]] == [None, None]
        assert (
            Browser(server, "light").edit("reject", movements=first_plm(state)["members"])[0] == 200
        )


def test_unedited_state_agrees_with_the_results(browser, night):
    state = browser.state()
    record = json.loads((night / "night.json").read_text())
    rows = (night / "movements.csv").read_text().splitlines()[1:]
    assert state["indices"] == state["as_detected"]
    assert state["indices"]["plms_per_hour"] == record["indices"]["plms_per_hour"]
    scored = [item for item in state["items"] if item["reason"] != "too short for the rules"]
    assert len(scored) == len(rows)
    names = [name for item in state["items"] for name in item["members"]]
    known = [movement["name"] for leg in state["legs"] for movement in leg["movements"]]
    assert sorted(names) == sorted(known)


def test_edit_changes_the_indices_at_once_and_is_kept(browser, night):
    before = browser.state()
    status, after = browser.edit("reject", movements=first_plm(before)["members"], why="partner")
    assert status == 200
    assert after["indices"]["lm_count"] == before["indices"]["lm_count"] - 1
    assert after["as_detected"] == before["indices"]
    (line,) = (night / EDITS_FILE).read_text().splitlines()
    assert json.loads(line)["why"] == "partner"
    assert browser.state() == after
    assert open_night(night).indices["lm_count"] == after["indices"]["lm_count"]


def test_undo_brings_back_what_was_and_keeps_both_edits(browser, night):
    before = browser.state()
    _, after = browser.edit("reject", movements=first_plm(before)["members"])
    status, undone = browser.edit("undo", undoes=after["edits"][0]["edit"])
    assert status == 200
    assert undone["indices"] == before["indices"]
    assert len((night / EDITS_FILE).read_text().splitlines()) == 2
    assert reviewed_indices(night) is None


def test_added_movement_is_scored(browser):
    before = browser.state()
    free_s = before["items"][-1]["onset_s"] + 100.0
    last_s = before["analysable"][-1][1]
    status, after = browser.edit("add", side="left", onset_s=min(free_s, last_s - 2), duration_s=1)
    assert status == 200
    assert sum(len(leg["movements"]) for leg in after["legs"]) == 1 + sum(
        len(leg["movements"]) for leg in before["legs"]
    )


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"action": "explode"}, "action"),
        ({"action": "reject"}, "movements"),
        ({"action": "reject", "movements": []}, "movements"),
        ({"action": "reject", "movements": ["left@0.001"]}, "left@0.001"),
        ({"action": "add", "side": "left", "onset_s": 100, "duration_s": 0}, "duration_s"),
        ({"action": "add", "side": "left", "onset_s": 100, "duration_s": 5000}, "lasts"),
        ({"action": "add", "side": "left", "onset_s": -1e5, "duration_s": 1}, "outside the night"),
        ({"action": "add", "side": "unknown", "onset_s": 100, "duration_s": 1}, "unknown"),
        ({"action": "add", "side": "left", "onset_s": None, "duration_s": 1}, "onset_s"),
        ({"action": "undo", "undoes": "never"}, "undone already, or never made"),
        ({"action": "undo", "undoes": "x", "why": "x" * (TEXT_MAX + 1)}, "at most"),
        ({"action": "undo", "undoes": "x", "who": 7}, "who"),
    ],
)
def test_edit_that_does_not_fit_is_refused_in_words_and_not_kept(fields, says, browser, night):
    status, answer = browser.edit(**fields)
    assert status == 400
    assert says in answer["error"]
    assert not (night / EDITS_FILE).exists()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("not json", "application/json", 400),
        ("[]", "application/json", 400),
        ("{}", "text/plain", 415),
        ("{}", "application/x-www-form-urlencoded", 415),
        ("x" * (BODY_MAX + 1), "application/json", 413),
    ],
)
def test_body_that_is_no_edit_is_refused(body, kind, status, browser, night):
    assert browser.ask("POST", f"{browser.night}/edits", body, Content_Type=kind)[0] == status
    assert not (night / EDITS_FILE).exists()


@pytest.mark.parametrize(
    "path", ["nothing", "nights/other/state", "nights/night/samples/7", "nights"]
)
def test_what_is_not_there_is_said(path, browser):
    status, content, _ = browser.ask("GET", browser.base.path + path)
    assert status == (200 if path == "nights" else 404)
    assert json.loads(content)


def test_edits_of_two_at_once_are_all_kept(night):
    with serving(night) as server:
        items = [item for item in Browser(server).state()["items"] if item["clm"]][:12]

        def reject(chosen):
            browser = Browser(server)
            for item in chosen:
                assert browser.edit("reject", movements=item["members"])[0] == 200

        threads = [threading.Thread(target=reject, args=(items[k::3],)) for k in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        state = Browser(server).state()
    assert len(state["edits"]) == len(items)
    assert len((night / EDITS_FILE).read_text().splitlines()) == len(items)


def test_edits_of_another_program_show(browser, night):
    before = browser.state()
    with serving(night) as other:
        Browser(other).edit("reject", movements=first_plm(before)["members"])
    assert browser.state()["version"] != before["version"]
    assert len(browser.state()["edits"]) == 1


def test_many_nights_are_named_by_their_place(results):
    nights = ServedNights(results, None)
    assert nights.names == ["light", "night"]
    assert nights.night("night").title.startswith("Night of ")


def test_folder_without_nights_is_refused_in_words(tmp_path):
    with pytest.raises(ResultError, match=r"no night here.*night\.json"):
        ServedNights(tmp_path, None)


def test_event_list_cannot_be_reviewed(results, tmp_path):
    folder = shutil.copytree(results / "night", tmp_path / "list")
    (folder / "night.npz").unlink()
    with pytest.raises(ResultError, match=r"no night\.npz"):
        ServedNights(folder, None)
