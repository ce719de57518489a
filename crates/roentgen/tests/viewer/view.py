"""Drives the page of `roentgen view` with Playwright; called by main.rs.

What the page must show is computed here from the score table, from `model.toml` and from the boxes of
the data set, not from the answers of the server.
"""

import argparse
import csv
import io
import json
import re
import shutil
import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

from drive import SLOW, Viewer, barriers
from playwright.sync_api import expect, sync_playwright

PAGE = 200


class Films:
    """The score table of the films that are shown, with thresholds and boxes."""

    def __init__(self, place, scores):
        self.rows = list(csv.DictReader((place / scores).open()))
        self.findings = [name.removesuffix(".truth") for name in self.rows[0] if name.endswith(".truth")]
        fitted = tomllib.loads((place / "run/model.toml").read_text())["calibration"]["findings"]
        self.thresholds = {one["finding"]: one["thresholds"]["youden"] for one in fitted if one.get("thresholds")}
        boxes = csv.reader((place / "prepared/boxes.csv").open())
        self.boxes = [row for row in boxes if row[0] in {film["image"] for film in self.rows}]

    def error(self, film, finding=None):
        all_findings = [finding] if finding else self.findings
        return max(abs(float(film[f"{one}.truth"]) - float(film[one])) for one in all_findings)

    def by_error(self, films, finding=None):
        # Films of equal errors keep their order.
        return [film["image"] for film in sorted(films, key=lambda film: -self.error(film, finding))]

    def of_kind(self, finding, label, is_called):
        threshold = self.thresholds[finding]
        return [film for film in self.rows
                if film[f"{finding}.truth"] == label and (float(film[finding]) >= threshold) == is_called]


def names(viewer):
    return viewer.page.locator("#list .name").all_text_contents()


def count(viewer, films, of):
    expect(viewer.page.locator("#progress")).to_have_text(f"{films} of {of} films", timeout=SLOW)


def check_the_largest_errors_come_first(viewer, films):
    page = viewer.page
    count(viewer, len(films.rows), len(films.rows))
    assert names(viewer) == films.by_error(films.rows)
    viewer.shown()
    worst = next(film for film in films.rows if film["image"] == names(viewer)[0])
    said = page.locator("#list .state").first.inner_text()
    assert f"Error {films.error(worst):.3f}" in said, said
    for finding in films.findings:
        is_said = finding.replace("_", " ") in said.split("Label: ")[1]
        assert is_said == (worst[f"{finding}.truth"] == "1"), (finding, said)
    page.select_option("#order", "name")
    assert names(viewer) == sorted(film["image"] for film in films.rows)
    page.select_option("#order", "error")


def check_one_finding_orders_and_filters(viewer, films):
    page = viewer.page
    finding = next(one for one in films.thresholds
                   if films.of_kind(one, "1", False) and films.of_kind(one, "0", True))
    page.select_option("#of-finding", label=finding.replace("_", " "))
    assert names(viewer) == films.by_error(films.rows, finding)
    for kind, label, is_called in [("false-negative", "1", False), ("false-positive", "0", True)]:
        page.select_option("#of-kind", kind)
        expected = films.of_kind(finding, label, is_called)
        count(viewer, len(expected), len(films.rows))
        assert names(viewer) == films.by_error(expected, finding), kind
        expect(page.locator("#choice-note")).to_have_text("At the thresholds of youden.")
        cell = page.locator("#findings tbody tr", has_text=finding.replace("_", " ")).first
        expect(cell).to_contain_text(kind.replace("-", " "))
    for kind, label in [("positive", "1"), ("negative", "0")]:
        page.select_option("#of-kind", kind)
        expected = [film for film in films.rows if film[f"{finding}.truth"] == label]
        assert names(viewer) == films.by_error(expected, finding), kind
    page.select_option("#of-kind", "all")
    page.select_option("#of-finding", "")


def check_false_negatives_of_all_findings_are_those_with_thresholds(viewer, films):
    page = viewer.page
    page.select_option("#of-kind", "false-negative")
    found = {film["image"] for finding in films.thresholds for film in films.of_kind(finding, "1", False)}
    assert set(names(viewer)) == found
    # A film's other findings, which are not missed, do not order it.
    missed = [(max(1 - float(film[one]) for one in all_missed), film["image"]) for film in films.rows
              if (all_missed := [one for one in films.thresholds if film in films.of_kind(one, "1", False)])]
    assert names(viewer) == [image for _, image in sorted(missed, key=lambda one: -one[0])]
    said = page.locator("#list .state").first.inner_text()
    assert said.startswith(f"Error {max(missed)[0]:.3f} ("), said
    without = [finding for finding in films.findings if finding not in films.thresholds]
    expect(page.locator("#choice-note")).to_contain_text(", ".join(without).replace("_", " "))
    page.select_option("#of-kind", "all")


def check_a_choice_of_no_film_leaves_no_film_in_the_pane(viewer, films):
    page = viewer.page
    empty = [(one, kind) for one in films.thresholds for kind, label, is_called in
             [("false-negative", "1", False), ("false-positive", "0", True)] if not films.of_kind(one, label, is_called)]
    if not empty:
        return
    finding, kind = empty[0]
    page.select_option("#of-finding", label=finding.replace("_", " "))
    page.select_option("#of-kind", kind)
    count(viewer, 0, len(films.rows))
    expect(page.locator(".pane.active .caption")).to_have_text("No film")
    expect(page.locator("#findings table")).to_have_count(0)
    page.select_option("#of-kind", "all")
    page.select_option("#of-finding", "")
    viewer.shown()


def check_a_finding_without_threshold_is_chosen_by_its_label_alone(viewer, films):
    page = viewer.page
    finding = next(one for one in films.findings
                   if one not in films.thresholds and any(film[f"{one}.truth"] == "1" for film in films.rows))
    page.select_option("#of-finding", label=finding.replace("_", " "))
    page.select_option("#of-kind", "false-negative")
    expect(page.locator("#choice-note")).to_contain_text("has no threshold: all label-positive films are shown")
    positive = [film for film in films.rows if film[f"{finding}.truth"] == "1"]
    assert names(viewer) == films.by_error(positive, finding)
    page.select_option("#of-kind", "all")
    page.select_option("#of-finding", "")


def check_labels_are_words_beside_each_probability(viewer, films):
    page = viewer.page
    film = next(film for film in films.rows if any(film[f"{one}.truth"] == "1" for one in films.findings))
    choose(viewer, film["image"])
    for finding in films.findings:
        cell = page.locator("#findings tbody tr", has=page.get_by_role("rowheader", name=finding.replace("_", " "), exact=True))
        word = "positive" if film[f"{finding}.truth"] == "1" else "negative"
        expect(cell.locator(".label")).to_contain_text(f"label {word}")
        expect(cell.locator(".number")).to_have_text(f"{float(film[finding]):.3f}")
    expect(page.locator("#findings")).to_contain_text(f"Patient {film['patient']}, {film['view']}, {film['age']} years")


def choose(viewer, name):
    viewer.page.locator("#list li", has_text=name).click()
    expect(viewer.page.locator(".pane.active .caption")).to_contain_text(name)
    viewer.shown()


def check_a_box_is_drawn_with_its_finding_and_hidden(viewer, films):
    page = viewer.page
    image, finding, *_ = films.boxes[0]
    choose(viewer, image)
    assert "boxes: " in viewer.label() and finding in viewer.label(), viewer.label()
    with_box = viewer.picture()
    viewer.changes(lambda: page.keyboard.press("b"))
    assert "hidden boxes: " in viewer.label()
    assert page.get_attribute("#boxes", "aria-pressed") == "false"
    viewer.changes(lambda: page.click("#boxes"))
    assert viewer.picture() == with_box and page.get_attribute("#boxes", "aria-pressed") == "true"
    plain = next(film["image"] for film in films.rows if film["image"] not in {box[0] for box in films.boxes})
    choose(viewer, plain)
    assert "box" not in viewer.label()


def check_a_heat_map_is_of_the_film_of_the_data_set(viewer, films):
    page = viewer.page
    page.keyboard.press("h")
    expect(page.locator("#message")).to_contain_text("Heat map: ", timeout=SLOW)
    finding = page.input_value("#map").split("/")[1]
    name = page.inner_text(".pane.active .caption")
    film = next(film for film in films.rows if film["image"] == name)
    # The film that the server explained has the probability of the table.
    expect(page.locator("#message")).to_contain_text(f"{float(film[finding]):.3f} by run")
    page.keyboard.press("H")


def check_everything_is_reached_by_keys(viewer, films):
    page = viewer.page
    page.locator("#list").focus()
    page.keyboard.press("Home")
    order = names(viewer)
    chosen = page.locator("#list li[aria-selected=true] .name")
    expect(chosen).to_have_text(order[0])
    page.keyboard.press("ArrowDown")
    expect(chosen).to_have_text(order[1])
    page.keyboard.press("g")
    assert page.input_value("#of-finding") == "0"
    expect(chosen).to_have_text(films.by_error(films.rows, films.findings[0])[0])
    page.keyboard.press("G")
    page.keyboard.press("v")
    assert page.input_value("#of-kind") == "false-positive"
    page.keyboard.press("V")
    page.keyboard.press("a")
    assert page.input_value("#order") == "name"
    page.keyboard.press("a")
    page.keyboard.press("a")
    assert names(viewer) == order
    page.keyboard.press("?")
    listed = page.locator("#keys").inner_text()
    assert "boxes of the data set" in listed and "next kind of films" in listed
    page.keyboard.press("Escape")
    # Films of the user have no place here.
    assert page.locator("#open-files").is_hidden() and page.locator("#remove-all").is_hidden()


def check_the_csv_has_labels(viewer, films):
    page = viewer.page
    with page.expect_download() as waiting:
        page.keyboard.press("s")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
    assert len(rows) == len(films.rows) * len(films.findings)
    by_name = {film["image"]: film for film in films.rows}
    for row in rows:
        film = by_name[row["film"]]
        assert row["label"] == film[f"{row['finding']}.truth"], row
        assert float(row["probability"]) == float(film[row["finding"]]), row
        assert row["patient"] == film["patient"] and row["identity"] == film["model"], row


def check_the_page_has_no_serious_barriers_and_the_console_is_silent(viewer, films):
    page = viewer.page
    choose(viewer, films.boxes[0][0])
    for look in ["dark", "light"]:
        barriers(viewer, viewer.axe, look)
        page.keyboard.press("d")
    assert viewer.said == [], viewer.said
    assert all(url.startswith((viewer.url, "blob:")) for url in viewer.asked), viewer.asked


def check_the_routes_are_as_documented_and_refuse_what_they_cannot_send(viewer, films):
    def ask(path, **headers):
        request = urllib.request.Request(f"{viewer.url}/v1/dataset{path}", headers=headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    status, body = ask("")
    document = json.loads(body)
    page = (Path(__file__).parents[4] / "docs/formats.md").read_text()
    section = page.split("\n## The data set of view\n")[1].split("\n## ")[0]
    words = set(re.findall("`([^`]+)`", section))
    film = next(film for film in document["films"] if film["boxes"])
    assert status == 200
    assert {*document, *film, *film["boxes"][0]} <= words, {*document, *film} - words
    assert ask("/films/0", Accept="image/png")[1].startswith(b"\x89PNG")
    for expected, path, accept in [(404, f"/films/{len(films.rows)}", "*/*"), (404, "/films/x", "*/*"),
                                   (400, "/films/0?edge=0", "*/*"), (400, "/films/0?edge=9", "image/png"),
                                   (406, "/films/0", "text/html")]:
        assert ask(path, Accept=accept)[0] == expected, path
    # A page whose name was made to point to this machine.
    assert ask("", Host="evil.example")[0] == 421


def check_many_films_are_listed_in_pages(viewer, films):
    """Of a server that shows all films of the data set, training films among them."""
    page = viewer.page
    total = films
    count(viewer, total, total)
    expect(page.locator("#list li")).to_have_count(PAGE)
    expect(page.locator("#page")).to_have_text(f"1 to {PAGE} of {total}")
    expect(page.locator("#about-set")).to_contain_text(re.compile(r"\d+ of \d+ films are training films"))
    page.keyboard.press("PageDown")
    expect(page.locator("#page")).to_have_text(f"{PAGE + 1} to {total} of {total}")
    expect(page.locator("#list li")).to_have_count(total - PAGE)
    page.keyboard.press("ArrowUp")
    expect(page.locator("#page")).to_have_text(f"1 to {PAGE} of {total}")
    expect(page.locator("#list li[aria-selected=true]")).to_be_visible()
    page.keyboard.press("End")
    page.click("#page-back")
    expect(page.locator("#list li")).to_have_count(PAGE)
    viewer.shown()
    expect(page.locator("#list canvas[data-drawn]").first).to_be_visible(timeout=SLOW)
    assert viewer.said == [], viewer.said


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--browser", required=True)
    parser.add_argument("--axe", type=Path, required=True)
    parser.add_argument("--place", type=Path, required=True)
    parser.add_argument("--scores", help="score table of the films, in the place")
    parser.add_argument("--all", type=int, help="number of films, if all are shown")
    options = parser.parse_args()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which(options.browser), args=["--no-sandbox"])
        viewer = Viewer(chromium, options.url, viewport={"width": 1400, "height": 900})
        viewer.axe = options.axe.read_text()
        if options.all:
            check_many_films_are_listed_in_pages(viewer, options.all)
        else:
            films = Films(options.place, options.scores)
            checks = [(name, check) for name, check in globals().items()
                      if name.startswith("check_") and check is not check_many_films_are_listed_in_pages]
            for name, check in checks:
                print(name, flush=True)
                check(viewer, films)
        viewer.close()
        chromium.close()


if __name__ == "__main__":
    sys.exit(main())
