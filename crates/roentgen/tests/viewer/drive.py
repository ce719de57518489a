"""Drives the viewer of `roentgen serve` with Playwright; called by main.rs.

Each function whose name begins with `check_` is a fact about the page. Films are phantoms and made-up
DICOM files.
"""

import argparse
import base64
import csv
import hashlib
import io
import json
import shutil
import sys
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import expect, sync_playwright
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

ROWS, COLUMNS, SPACING = 300, 200, [0.2, 0.2]
SLOW = 60_000


def dicom(path, date, lowest):
    """Writes a signed 16-bit film, inverted, with a window, padding and a spacing; returns its values."""
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    values = (lowest + 97 * rows + 13 * columns).astype(np.int16)
    values[:5] = -32768
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID = ComputedRadiographyImageStorage
    film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID = generate_uid()
    film.Modality, film.BodyPartExamined, film.ViewPosition = "CR", "CHEST", "PA"
    film.PatientID, film.StudyDate = "SECRET-PATIENT", date
    film.Rows, film.Columns, film.SamplesPerPixel = ROWS, COLUMNS, 1
    film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 16, 16, 15, 1
    film.PhotometricInterpretation = "MONOCHROME1"
    film.PixelPaddingValue = -32768
    film.RescaleSlope, film.RescaleIntercept = "2", "-100"
    film.WindowCenter, film.WindowWidth = "20000", "40001"
    film.PixelSpacing = film.ImagerPixelSpacing = SPACING
    film.PixelData = values.tobytes()
    film.save_as(path, enforce_file_format=True)
    return values


def gray_of(values):
    """The steps of PS3.3 C.11 for the films above."""
    share = (2.0 * values - 100 - 19999.5) / 40000 + 0.5
    gray = 255 - np.floor(np.clip(share, 0, 1) * 255 + 0.5)
    return np.where(values == -32768, 0, gray).astype(np.uint8)


class Viewer:
    def __init__(self, browser, url, **look):
        self.context = browser.new_context(accept_downloads=True, **look)
        self.page = self.context.new_page()
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.answer = self.page.goto(url)
        self.url = url

    def open(self, *files):
        self.page.set_input_files("#files", [str(file) for file in files])

    def wait(self, text):
        expect(self.page.locator("#progress")).to_have_text(text, timeout=SLOW)

    def stage(self, number=1):
        return self.page.locator(f".pane:nth-child({number}) canvas")

    def label(self, number=1):
        return self.stage(number).get_attribute("aria-label")

    def picture(self, number=1):
        # Drawing waits for a frame.
        self.page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return self.stage(number).evaluate("canvas => canvas.toDataURL()")

    def shown(self, number=1):
        expect(self.stage(number)).to_have_attribute("aria-label", __import__("re").compile("C .* W "), timeout=SLOW)

    def changes(self, act):
        """The film looks different after `act`."""
        before = self.picture()
        act()
        assert self.picture() != before, "the picture did not change"

    def choose(self, name):
        self.page.locator("#list li", has_text=name).click()
        expect(self.page.locator(".pane.active .caption")).to_contain_text(name)
        self.shown()

    def close(self):
        self.context.close()


def shades(viewer, path):
    """What the page makes of a film before anybody touches the window: size, and SHA-256 of the gray."""
    return viewer.page.evaluate(
        """async (text) => {
          const { firstWindow, parseFilm, shades } = await import("/viewer/film.js");
          const { pixels } = await import("/viewer/api.js");
          const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
          const film = parseFilm(await pixels(new Blob([bytes])));
          const table = shades(film.about, firstWindow(film.about), film.about.inverted);
          const gray = Uint8Array.from(film.samples, (sample) => table[sample]);
          const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", gray));
          const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
          return [[film.height, film.width], hex];
        }""",
        base64.b64encode(path.read_bytes()).decode(),
    )


def check_the_page_asks_nobody_else_and_may_do_little(viewer, _):
    policy = viewer.answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy, policy
    assert viewer.page.locator("#caution").is_visible()
    assert viewer.page.locator("script:not([src]), style, [style], [onclick]").count() == 0
    assert all(url.startswith(viewer.url) for url in viewer.asked), viewer.asked
    assert viewer.said == [], viewer.said
    assert viewer.context.cookies() == []
    kept = viewer.page.evaluate("[localStorage.length, sessionStorage.length]")
    assert kept == [0, 0], kept


def check_films_have_states_and_a_bad_file_has_its_reason(viewer, place):
    viewer.open(place / "current.dcm", place / "earlier.dcm", place / "film.png", place / "bad.png")
    viewer.wait("4 of 4 done, 1 without scores")
    bad = viewer.page.locator("#list li", has_text="bad.png")
    expect(bad).to_contain_text("refused: the file is not a PNG, JPEG or DICOM file")
    viewer.page.locator("#list li", has_text="bad.png").click()
    expect(viewer.page.locator("#findings")).to_contain_text("This film has no scores")
    expect(viewer.page.locator("#message")).to_contain_text("cannot be shown")
    assert viewer.page.locator("#list li[data-state=scored]").count() == 3
    # The refusals above are all that the console says.
    assert all("422" in text for text in viewer.said), viewer.said
    viewer.said.clear()


def check_the_first_look_is_the_gray_of_the_network(viewer, place):
    expected = gray_of(place.values)
    assert len(np.unique(expected)) > 200
    size, sha256 = shades(viewer, place / "current.dcm")
    assert size == [ROWS, COLUMNS], size
    assert sha256 == hashlib.sha256(expected.tobytes()).hexdigest()


def check_all_models_are_beside_each_other_with_words(viewer, place):
    viewer.choose("current.dcm")
    heads = viewer.page.locator("#findings thead th").all_inner_texts()
    assert heads == ["Finding", "first", "second"], heads
    film = (place / "current.dcm").read_bytes()
    for column, model in enumerate(["first", "second"]):
        request = urllib.request.Request(f"{viewer.url}/v1/predict?model={model}", film)
        request.add_header("content-type", "application/octet-stream")
        findings = json.load(urllib.request.urlopen(request))["films"][0]["findings"]
        cells = viewer.page.locator(f"#findings tbody td:nth-child({column + 2})")
        assert cells.count() == len(findings)
        for cell, (finding, one) in zip(cells.all_inner_texts(), findings.items()):
            assert f"{one['probability']:.3f}" in cell, (finding, cell)
            if one["call"] is None:
                assert "no threshold" in cell, cell
            else:
                side = "above" if one["call"] else "below"
                assert f"{side} the threshold {one['threshold']:.3f}" in cell, (one, cell)
            if one["calibrated"] is not None:
                assert f"calibrated {100 * one['calibrated']:.1f} %" in cell, (one, cell)


def check_window_and_level_act_on_all_bits(viewer, _):
    page = viewer.page
    viewer.choose("current.dcm")
    page.click("#reset")
    assert "C 20000  W 40001" in viewer.label(), viewer.label()
    viewer.changes(lambda: page.fill("#center", "18000"))
    # A window of 8 of 131,070 values: one shade of an 8-bit picture.
    viewer.changes(lambda: page.fill("#width", "8"))
    assert "C 18000  W 8" in viewer.label(), viewer.label()
    viewer.changes(lambda: page.fill("#width", "40000"))
    box = viewer.stage().bounding_box()
    middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]

    def drag():
        page.mouse.move(*middle)
        page.mouse.down()
        page.mouse.move(middle[0] + 30, middle[1] - 40, steps=4)
        page.mouse.up()

    viewer.changes(drag)
    assert float(page.input_value("#width")) > 40000 and float(page.input_value("#center")) < 18000
    for key in "[],.":
        viewer.changes(lambda: page.keyboard.press(key))
    page.click("#reset")


def check_invert_rotate_zoom_and_pan(viewer, _):
    page = viewer.page
    viewer.choose("current.dcm")
    page.click("#reset")
    fitted = viewer.picture()
    for button, key in [("#invert", "i"), ("#rotate-right", "R"), ("#rotate-left", "r")]:
        viewer.changes(lambda: page.click(button))
        page.keyboard.press(key)
        assert viewer.picture() == fitted, (button, key)
    assert page.get_attribute("#invert", "aria-pressed") == "false"
    for button, key in [("#zoom-in", "+"), ("#zoom-out", "-"), ("#one-to-one", "1")]:
        viewer.changes(lambda: page.click(button))
        page.keyboard.press("f")
        assert viewer.picture() == fitted, button
        viewer.changes(lambda: page.keyboard.press(key))
        page.click("#fit")
        assert viewer.picture() == fitted, key
    page.click("#one-to-one")
    assert "100 %" in viewer.label()
    box = viewer.stage().bounding_box()
    middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]

    def drag(button="left"):
        page.mouse.move(*middle)
        page.mouse.down(button=button)
        page.mouse.move(middle[0] + 20, middle[1] + 30, steps=3)
        page.mouse.up(button=button)

    for name in ["pan", "zoom"]:
        page.click(f"[data-tool={name}]")
        assert page.get_attribute(f"[data-tool={name}]", "aria-pressed") == "true"
        viewer.changes(drag)
    for button in ["middle", "right"]:
        viewer.changes(lambda: drag(button))
    viewer.changes(lambda: page.mouse.wheel(0, -200))
    viewer.stage().focus()
    viewer.changes(lambda: page.keyboard.press("ArrowRight"))
    page.click("#reset")
    page.keyboard.press("w")
    assert page.get_attribute("[data-tool=window]", "aria-pressed") == "true"
    assert viewer.picture() == fitted


def check_lengths_are_in_millimeters_where_the_file_has_a_spacing(viewer, _):
    page = viewer.page
    viewer.choose("current.dcm")
    page.keyboard.press("1")
    page.keyboard.press("m")
    viewer.stage().focus()
    page.keyboard.press("Enter")
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_have_text("Length: 2.0 mm at the detector")
    assert "1 line" in viewer.label()
    box = viewer.stage().bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 40, steps=3)
    page.mouse.up()
    expect(page.locator("#message")).to_have_text("Length: 10.0 mm at the detector")
    page.click("#clear")
    assert "line" not in viewer.label()
    viewer.choose("film.png")
    page.keyboard.press("1")
    page.mouse.move(x - 15, y - 20)
    page.mouse.down()
    page.mouse.move(x + 15, y + 20, steps=3)
    page.mouse.up()
    expect(page.locator("#message")).to_have_text("Length: 50.0 px")
    page.keyboard.press("x")
    page.keyboard.press("w")
    page.keyboard.press("0")


def check_heat_maps_of_each_finding_and_model(viewer, _):
    page = viewer.page
    viewer.choose("film.png")
    plain = viewer.picture()
    page.keyboard.press("h")
    expect(page.locator("#message")).to_contain_text("Heat map: ", timeout=SLOW)
    assert page.input_value("#map").startswith("first/")
    first = viewer.picture()
    assert first != plain
    page.keyboard.press("o")
    assert page.inner_text("#opacity-value") == "60 %"
    page.keyboard.press("O")
    assert viewer.picture() == first
    assert any(has_color(viewer, at) for at in range(1, page.locator("#map option").count()))
    page.keyboard.press("H")
    assert viewer.picture() == plain
    button = page.locator("#findings tbody td:nth-child(3) button").first
    button.click()
    expect(page.locator("#message")).to_contain_text("by second", timeout=SLOW)
    expect(page.locator("#findings td:nth-child(3) button[aria-pressed=true]")).to_have_count(1)
    assert viewer.picture() not in [plain, first]
    page.locator("#findings td:nth-child(3) button[aria-pressed=true]").click()
    assert viewer.picture() == plain


def has_color(viewer, at):
    """Whether a map has any color: a model of one epoch may find nothing that speaks for a finding."""
    page = viewer.page
    page.select_option("#map", index=at)
    expect(page.locator("#message")).to_contain_text("Heat map: ", timeout=SLOW)
    before = viewer.picture()
    page.fill("#opacity", "100")
    is_other = viewer.picture() != before
    page.fill("#opacity", "50")
    assert viewer.picture() == before
    return is_other


def check_the_previous_film_of_the_patient_is_beside_the_current_one(viewer, _):
    page = viewer.page
    viewer.choose("current.dcm")
    page.click("#compare")
    viewer.shown(2)
    assert "earlier.dcm, 2019-12-24" in page.inner_text(".pane:nth-child(2) .caption")
    assert "current.dcm, 2020-01-31" in page.inner_text(".pane:nth-child(1) .caption")
    assert viewer.picture(1) != viewer.picture(2)
    # The controls act on the pane that was touched last.
    viewer.stage(2).focus()
    page.keyboard.press("i")
    assert "inverted" in viewer.label(2) and "inverted" not in viewer.label(1)
    expect(page.locator("#findings-title")).to_have_text("Findings of earlier.dcm")
    page.locator("#list li", has_text="film.png").click()
    expect(page.locator(".pane:nth-child(2) .caption")).to_have_text("film.png")
    assert "current.dcm" in page.inner_text(".pane:nth-child(1) .caption")
    page.keyboard.press("c")
    expect(page.locator(".pane")).to_have_count(1)
    viewer.choose("earlier.dcm")
    page.keyboard.press("c")
    expect(page.locator("#message")).to_contain_text("No earlier film of this patient is open")
    page.keyboard.press("c")


def check_view_and_scores_are_saved(viewer, _):
    page = viewer.page
    viewer.choose("current.dcm")
    with page.expect_download() as waiting:
        page.click("#export-png")
    picture = Image.open(waiting.value.path())
    assert waiting.value.suggested_filename == "roentgen-view.png"
    assert list(picture.size) == viewer.stage().evaluate("canvas => [canvas.width, canvas.height]")
    with page.expect_download() as waiting:
        page.keyboard.press("s")
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text())))
    findings = page.locator("#findings tbody tr").count()
    assert len(rows) == 3 * 2 * findings + 1, len(rows)
    bad = [row for row in rows if row["film"] == "bad.png"]
    assert [row["state"] for row in bad] == ["refused"] and "not a PNG" in bad[0]["reason"]
    probabilities = {row["probability"] for row in rows if row["model"] == "second"}
    assert all(0 < float(probability) < 1 for probability in probabilities) and len(probabilities) > 3


def check_everything_is_reached_by_keys(viewer, _):
    page = viewer.page
    names = page.locator("#list .name").all_text_contents()
    page.locator("#list").focus()
    page.keyboard.press("Home")
    for name in names[1:]:
        page.keyboard.press("ArrowDown")
        expect(page.locator("#list li[aria-selected=true] .name")).to_have_text(name)
    page.keyboard.press("k")
    expect(page.locator("#list li[aria-selected=true] .name")).to_have_text(names[-2])
    page.keyboard.press("Home")
    expect(page.locator("#list li[aria-selected=true] .name")).to_have_text(names[0])
    viewer.shown()
    # Tab passes all controls, in the order of the page.
    page.locator("#open-files").focus()
    order = ["open-files"]
    for _ in range(120):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.dataset?.tool || document.activeElement.tagName"))
        if order[-1] == "BODY" or order.count(order[0]) > 1:
            break
    wanted = ["open-files", "open-folder", "export-png", "export-csv", "look", "help-open", "order",
              "remove-all", "list", "window", "measure", "invert", "compare", "center", "width", "map",
              "opacity", "CANVAS", "findings-section"]
    places = [order.index(one) if one in order else -1 for one in wanted]
    assert -1 not in places and places == sorted(places), list(zip(wanted, places))
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible() and page.locator("#keys tr").count() > 20
    page.uncheck("#keys-on")
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()
    before = viewer.label()
    page.keyboard.press("i")
    assert viewer.label() == before
    page.click("#help-open")
    page.check("#keys-on")
    page.click("#help-close")
    page.keyboard.press("d")
    assert page.get_attribute("#look", "aria-pressed") == "true"
    page.click("#look")


def check_files_are_dropped_and_folders_are_opened(viewer, place):
    page = viewer.page
    page.click("#remove-all")
    viewer.wait("")
    page.evaluate(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png"));
          document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
        }""",
        list((place / "film.png").read_bytes()),
    )
    viewer.wait("1 of 1 done")
    page.set_input_files("#folder", str(place / "folder"))
    # DICOMDIR, hidden and empty files are not films.
    viewer.wait("3 of 3 done")
    page.click("#remove-all")
    viewer.wait("")
    assert page.locator("#empty").is_visible() and page.locator("#export-png").is_disabled()


def check_two_hundred_films_are_scored_while_the_page_answers(viewer, place):
    page = viewer.page
    films = sorted((place / "films").rglob("*.png"))[:199]
    assert len(films) == 199
    viewer.open(*films, place / "bad.png")
    viewer.shown()
    # The page answers in between.
    page.keyboard.press("End")
    expect(page.locator("#list li[aria-selected=true] .name")).to_have_text("bad.png")
    page.keyboard.press("Home")
    viewer.wait("200 of 200 done, 1 without scores")
    assert page.locator("#list li").count() == 200
    page.select_option("#order", "state")
    expect(page.locator("#list li .name").first).to_have_text("bad.png")
    page.select_option("#order", "above")
    counts = [int(text.split()[0]) for text in page.locator("#list .above .state").all_text_contents()]
    assert counts == sorted(counts, reverse=True), counts
    shot(viewer, place, "many")


def check_the_page_has_no_serious_barriers_and_fits_a_phone(viewer, place):
    page = viewer.page
    page.click("#remove-all")
    viewer.open(place / "film.png", place / "current.dcm", place / "bad.png")
    viewer.wait("3 of 3 done, 1 without scores")
    viewer.choose("film.png")
    page.keyboard.press("h")
    expect(page.locator("#message")).to_contain_text("Heat map: ", timeout=SLOW)
    page.keyboard.press("c")
    viewer.shown(2)
    for look in ["dark", "light", "phone", "help"]:
        if look in ["light", "phone"]:
            page.keyboard.press("d")
        if look == "phone":
            page.set_viewport_size({"width": 390, "height": 800})
        if look == "help":
            page.keyboard.press("?")
        shot(viewer, place, look)
        barriers(viewer, place.axe, look)
    page.keyboard.press("Escape")
    width = page.evaluate("document.scrollingElement.scrollWidth")
    assert width <= 390, f"{width} px on a phone of 390"
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    box = page.locator("#caution").bounding_box()
    assert 0 <= box["y"] < 800, f"the caution is out of view: {box}"


def barriers(viewer, axe, look):
    page = viewer.page
    page.evaluate(axe)
    found = page.evaluate("axe.run(document)")
    assert len(found["passes"]) > 10, "axe-core checked too little"
    serious = [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"] if one["impact"] in ["serious", "critical"]
        for node in one["nodes"]
    ]
    assert serious == [], (look, serious)


def shot(viewer, place, name):
    if place.shots:
        viewer.page.screenshot(path=place.shots / f"{name}.png", full_page=name == "phone")


def check_a_token_is_asked_for(viewer, _, token):
    page = viewer.page
    expect(page.locator("#token-dialog")).to_be_visible()
    page.fill("#token", "not the token of it")
    page.click("#token-send")
    expect(page.locator("#token-dialog")).to_be_visible()
    page.fill("#token", token)
    page.keyboard.press("Enter")
    expect(page.locator("#token-dialog")).not_to_be_visible()
    expect(page.locator("#map option")).not_to_have_count(1, timeout=SLOW)
    assert token not in page.content()


def check_shades(viewer, folder, fixture):
    """The pixels of pydicom, by the hashes of roentgen-data's fixture."""
    compared = 0
    for row in csv.DictReader(fixture.open()):
        path = folder / row["file"]
        # JPEG with loss is rounded differently by each decoder.
        if not path.exists() or "rsna" in row["file"]:
            continue
        try:
            size, sha256 = shades(viewer, path)
        except Exception as error:
            assert "is refused" in str(error), (path.name, error)
            continue
        assert size == [int(row["height"]), int(row["width"])], path.name
        assert sha256 == row["sha256"], path.name
        compared += 1
    assert compared >= 8, compared


class Place(type(Path())):
    """A folder with the films of the checks."""

    values = axe = shots = None


def prepare(folder, axe, shots):
    place = Place(folder)
    place.axe = axe.read_text()
    place.shots = shots
    place.values = dicom(place / "current.dcm", "20200131", -2000)
    dicom(place / "earlier.dcm", "20191224", -6000)
    dicom(place / "later.dcm", "20200401", -6000)
    (place / "bad.png").write_bytes(b"not a film")
    film = next(iter(sorted((place / "films").rglob("*.png"))))
    shutil.copy(film, place / "film.png")
    inner = place / "folder" / "study"
    inner.mkdir(parents=True, exist_ok=True)
    shutil.copy(film, inner / "a.png")
    shutil.copy(place / "later.dcm", inner / "IM0001")
    (inner / "DICOMDIR").write_bytes(b"x")
    (inner / ".hidden").write_bytes(b"x")
    (inner / "empty.png").write_bytes(b"")
    return place


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--browser", required=True)
    parser.add_argument("--axe", type=Path, required=True)
    parser.add_argument("--place", type=Path, required=True)
    parser.add_argument("--shots", type=Path, help="folder for screenshots")
    parser.add_argument("--token")
    parser.add_argument("--shades", type=Path, nargs=2)
    options = parser.parse_args()
    browser = shutil.which(options.browser)
    place = prepare(options.place, options.axe, options.shots)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        viewer = Viewer(chromium, options.url, viewport={"width": 1400, "height": 900})
        if options.token:
            check_a_token_is_asked_for(viewer, place, options.token)
        elif options.shades:
            check_shades(viewer, *options.shades)
        else:
            checks = [(name, check) for name, check in globals().items()
                      if name.startswith("check_") and check not in (check_shades, check_a_token_is_asked_for)]
            for name, check in checks:
                print(name, flush=True)
                check(viewer, place)
        viewer.close()
        chromium.close()


if __name__ == "__main__":
    sys.exit(main())
