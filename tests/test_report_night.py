"""The page of one night: whole, self-contained, readable, the same for the same night."""

from __future__ import annotations

import copy
import json
import re
import shutil
from contextlib import suppress
from html.parser import HTMLParser
from itertools import combinations

import h5py
import numpy as np
import pytest
from chromium import chromium, needs_chromium
from click.testing import CliRunner
from night_folders import write_recordings, write_results

from rlsmove.cli import main
from rlsmove.errors import ResultError
from rlsmove.report.figure_svg import PALETTE
from rlsmove.report.night_page import night_page
from rlsmove.review import open_night
from rlsmove.review.edits import append_edit, new_edit

KINDS = ("both_legs", "one_leg", "no_sleep", "no_movements", "half_missing", "many")


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Folders of nights of many kinds, by kind."""
    root = tmp_path_factory.mktemp("report")
    write_recordings(root / "raw")
    write_results(root / "raw", root / "both_legs")
    write_recordings(root / "left", legs="left", scenario="typical", hours=1.0)
    write_results(root / "left", root / "one_leg")
    write_results(root / "left", root / "no_sleep", with_sleep=False)
    with h5py.File(root / "left" / "left.h5", "r+") as file:
        rows = file["acceleration"]
        rows[len(rows) // 4 : 3 * len(rows) // 4] = np.nan
    write_results(root / "left", root / "half_missing")
    write_recordings(root / "calm", scenario="none", hours=0.5)
    write_results(root / "calm", root / "no_movements")
    lines = ["kind,label,onset_s,duration_s", "lights_off,,0,0", "lights_on,,28800,0"]
    lines += [f"stage,{'N2' if k % 9 else 'W'},{30 * k},30" for k in range(960)]
    lines += [f"lm,{('left', 'right')[k % 2]},{60 + 14.2 * k:.1f},1.5" for k in range(2000)]
    (root / "many.csv").write_text("\n".join(lines))
    score = ["score", str(root / "many.csv"), "--out", str(root / "many")]
    assert CliRunner().invoke(main, score).exit_code == 0
    return root


@pytest.fixture(scope="module")
def pages(nights):
    return {kind: night_page(open_night(nights / kind, signal=True)) for kind in KINDS}


class Outline(HTMLParser):
    """Tags that are open, pictures and their words, and everything that is asked for."""

    VOID = ("meta", "link", "br", "img", "input", "hr")

    def __init__(self, page):
        super().__init__()
        self.open, self.pictures, self.asked, self.text = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "svg":
            self.pictures.append(given.get("aria-label"))
        self.asked += [given[name] for name in ("src", "href", "xlink:href") if name in given]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.asked += [dict(attributes)[n] for n in ("href", "xlink:href") if n in dict(attributes)]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_whole_and_needs_nothing_from_elsewhere(kind, pages):
    outline = Outline(pages[kind])
    assert outline.open == []
    assert all(target.startswith("#") for target in outline.asked)
    assert "<script" not in pages[kind]
    assert "@import" not in pages[kind]
    assert not re.search(r"url\((?!#)", pages[kind])
    assert "default-src 'none'" in pages[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_says_in_words_what_it_shows(kind, pages):
    pictures = Outline(pages[kind]).pictures
    assert len(pictures) >= 7
    assert all(words and len(words) > 20 for words in pictures)


@pytest.mark.parametrize("kind", KINDS)
def test_page_stays_below_three_megabytes(kind, pages):
    assert len(pages[kind].encode()) < 3_000_000


def test_same_night_gives_the_same_page(nights, pages):
    again = night_page(open_night(nights / "both_legs", signal=True))
    assert again == pages["both_legs"]


@pytest.mark.parametrize("kind", KINDS)
def test_indices_stand_on_the_page_with_their_hours(kind, nights, pages):
    indices = json.loads((nights / kind / "night.json").read_text())["indices"]
    text = " ".join("".join(Outline(pages[kind]).text).split())
    for name in ("plms_per_hour", "plm_count", "sleep_hours"):
        assert name in text
    if indices["plms_per_hour"] is not None:
        rate, count, hours = (indices[n] for n in ("plms_per_hour", "plms_count", "sleep_hours"))
        assert f"{rate:.1f} per hour of sleep" in text
        assert f"{count} in {hours:.2f} analyzable hours of sleep" in text


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "many"])
def test_simulated_nights_say_so_at_the_top_and_at_the_foot(kind, pages):
    assert pages[kind].count("Simulated data") >= 2
    assert "(simulated)</title>" in pages[kind]


def test_other_nights_do_not_say_that_they_are_simulated(pages):
    assert "Simulated data" not in pages["many"]


@pytest.mark.parametrize("kind", KINDS)
def test_page_says_what_the_program_is_and_what_made_it(kind, nights, pages):
    record = json.loads((nights / kind / "night.json").read_text())
    assert "does not diagnose" in pages[kind]
    assert "not a burst of EMG" in pages[kind]
    assert "abnormal" not in pages[kind].lower()
    for entry in record["provenance"]["inputs"]:
        assert entry["sha256"] in pages[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_warnings_stand_in_words(kind, nights, pages):
    warnings = json.loads((nights / kind / "night.json").read_text())["quality"]["warnings"]
    text = "".join(Outline(pages[kind]).text)
    for warning in warnings:
        assert warning["sentence"][1:].rstrip(".") in text
        assert warning["code"] in text


def test_line_of_the_literature_has_its_caveat(pages):
    assert "the line says nothing about a single night" in " ".join(pages["both_legs"].split())


def test_examples_show_what_was_counted_and_what_was_not(nights, pages):
    assert "Largest" in pages["both_legs"]
    reasons = open_night(nights / "both_legs").scored.scoring
    for reason in set(reasons.reason[reasons.clm == 0]):
        assert f"Not counted: {reason}" in pages["both_legs"]


def test_review_is_said_and_counts(nights, tmp_path):
    folder = shutil.copytree(nights / "both_legs", tmp_path / "night")
    before = open_night(folder)
    names = before.reviewed.legs[0].names[:30] + before.reviewed.legs[1].names[:30]
    fields = {"who": "Zoë <i>", "action": "reject", "why": "partner", "movements": list(names)}
    append_edit(folder, new_edit(fields, night=before.digest))
    after = open_night(folder, signal=True)
    page = night_page(after)
    assert after.indices["lm_count"] < before.indices["lm_count"]
    assert "Reviewed" in page
    assert "Zoë &lt;i&gt;" in page
    assert f"{before.indices['plms_per_hour']:.1f} as detected" in page
    text = " ".join("".join(Outline(page).text).split())
    assert f"{after.indices['lm_count']} in" in text
    assert "Rejected in the review" in text


def test_markup_in_names_stays_text(nights, tmp_path):
    folder = shutil.copytree(nights / "both_legs", tmp_path / "night")
    record = json.loads((folder / "night.json").read_text())
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    for leg in record["recording"]["legs"].values():
        leg["file"] = leg["device"] = attack
    record["quality"]["warnings"] = [{"code": attack, "sentence": attack}]
    record["provenance"]["inputs"][0]["file"] = attack
    (folder / "night.json").write_text(json.dumps(record))
    page = night_page(open_night(folder, signal=True))
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in page


def places(value, path=()):
    """All places in a record, its lists' first items included."""
    yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from places(item, (*path, name))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*path, 0))


def test_damaged_record_gives_a_page_or_an_error_in_words(nights, tmp_path, monkeypatch):
    # Pictures take time and read little of the record.
    monkeypatch.setattr("rlsmove.report.page.svg_of", lambda *_, **__: "<svg></svg>")
    for name in ("overview", "raster", "interval_histogram"):
        monkeypatch.setattr(f"rlsmove.report.night_page.{name}", lambda *_, **__: None)
    folder = shutil.copytree(nights / "one_leg", tmp_path / "night")
    (folder / "night.npz").unlink()
    whole = json.loads((folder / "night.json").read_text())
    parts = {name: part for name, part in whole.items() if name not in ("tables", "rules")}
    # Indices are all read alike.
    parts["indices"] = {"plms_per_hour": 0, "plms_per_hour_by_hour": 0}
    for path in places(parts):
        for damage in (None, "text", 7, {}):
            record = copy.deepcopy(whole)
            part = record
            for name in path[:-1]:
                part = part[name]
            if path:
                part[path[-1]] = damage
            (folder / "night.json").write_text(json.dumps(record if path else damage))
            with suppress(ResultError):
                assert "<h1>" in night_page(open_night(folder))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: "", "no column onset_s"),
        (lambda text: text.replace("onset_s", "start", 1), "row 1"),
        (lambda text: text.replace("left", "leftish", 1), "row 2, column side"),
        (lambda text: text + "1,2,3\n", "3 cells"),
        (lambda text: text.replace(",1.5,", ",long,", 1), "row 2, column duration_s"),
    ],
)
def test_damaged_movements_are_refused_with_their_place(damage, says, nights, tmp_path):
    folder = shutil.copytree(nights / "many", tmp_path / "night")
    table = folder / "movements.csv"
    table.write_text(damage(table.read_text()))
    with pytest.raises(ResultError, match="not of this night"):
        open_night(folder)
    record = json.loads((folder / "night.json").read_text())
    del record["digests"]  # as an earlier version wrote it
    (folder / "night.json").write_text(json.dumps(record))
    with pytest.raises(ResultError, match=r"movements\.csv") as error:
        night_page(open_night(folder))
    assert says in str(error.value)


def test_command_writes_the_page_beside_the_results(nights, tmp_path):
    folder = shutil.copytree(nights / "one_leg", tmp_path / "night")
    run = CliRunner().invoke(main, ["report", str(folder)])
    assert run.exit_code == 0
    assert run.stdout == f"{folder / 'report.html'}\n"
    assert (folder / "report.html").read_text().startswith("<!doctype html>")


def test_command_reports_each_night_of_a_folder(nights, tmp_path):
    for night in ("2026-03-01", "2026-03-02"):
        shutil.copytree(nights / "many", tmp_path / "all" / night)
    run = CliRunner().invoke(main, ["report", str(tmp_path / "all")])
    assert run.exit_code == 0
    assert len(run.stdout.splitlines()) == 2


@pytest.mark.parametrize("where", ["empty", "missing"])
def test_folder_without_results_is_refused_in_words(where, tmp_path):
    (tmp_path / "empty").mkdir()
    run = CliRunner().invoke(main, ["report", str(tmp_path / where)])
    assert run.exit_code == 1
    assert "there are no results here" in run.stderr
    assert "Traceback" not in run.output


def test_pdf_is_written_beside_the_page(nights, tmp_path):
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"weasyprint cannot be loaded: {error}")
    folder = shutil.copytree(nights / "many", tmp_path / "night")
    run = CliRunner().invoke(main, ["report", str(folder), "--pdf"])
    assert run.exit_code == 0
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")


#: What the three kinds of missing cones make of linear RGB (Vienot, Brettel and Mollon, Color Res
#: Appl 1999;24:243-252, for the first two).
CONES = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    "tritanopia": [[1, 0.15236, -0.15236], [0, 0.86717, 0.13283], [0, 0.86717, 0.13283]],
    "none": np.eye(3).tolist(),
}


@pytest.mark.parametrize("cones", CONES)
@pytest.mark.parametrize("mode", [0, 1], ids=["day", "night"])
def test_color_blind_readers_can_tell_the_colors_apart(cones, mode):
    def seen(name):
        srgb = np.array([int(PALETTE[name][mode][k : k + 2], 16) / 255 for k in (1, 3, 5)])
        linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        return np.cbrt(np.clip(CONES[cones] @ linear, 0, 1))

    for group in (("left", "right"), ("plm", "other", "muted"), ("left", "right", "paper")):
        for one, other in combinations(group, 2):
            assert np.linalg.norm(seen(one) - seen(other)) > 0.12, (one, other)


@needs_chromium
def test_nothing_overlaps_or_runs_over_on_desk_and_phone(nights, pages, tmp_path):
    with chromium(tmp_path / "profile") as driver:
        for kind in KINDS:
            (tmp_path / f"{kind}.html").write_text(pages[kind])
            for width in (1200, 390):
                driver.execute_cdp_cmd(
                    "Emulation.setDeviceMetricsOverride",
                    {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
                )
                driver.get(f"file://{tmp_path / kind}.html")
                found = driver.execute_script(OVERLAPS)
                assert found["width"] <= width, (kind, width)
                assert found["pictures"] >= 5, (kind, width)
                assert found["overlaps"] == [], (kind, width)
                assert found["outside"] == [], (kind, width)
        assert [row for row in driver.get_log("browser") if row["level"] == "SEVERE"] == []


OVERLAPS = """
const overlaps = [], outside = [];
let pictures = 0;
for (const svg of document.querySelectorAll("svg")) {
  const frame = svg.getBoundingClientRect();
  if (frame.width === 0) continue;
  pictures += 1;
  const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
  const boxes = texts.map((text) => text.getBoundingClientRect());
  boxes.forEach((box, i) => {
    const words = texts[i].textContent;
    if (box.left < frame.left - 3 || box.right > frame.right + 3 || box.bottom > frame.bottom + 3)
      outside.push(words);
    for (let j = 0; j < i; j++) {
      const wide = Math.min(box.right, boxes[j].right) - Math.max(box.left, boxes[j].left);
      const high = Math.min(box.bottom, boxes[j].bottom) - Math.max(box.top, boxes[j].top);
      if (wide > 2 && high > 4.5) overlaps.push([words, texts[j].textContent]);
    }
  });
}
return { overlaps, outside, pictures, width: document.documentElement.scrollWidth };
"""
