"""Goal: a browser shows the pages, sends its JSON, and plays and seeks media. Needs Debian's
packages chromium and chromium-driver; without them it is left out."""

from __future__ import annotations

import json
import os
import shutil
import struct
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from browser import Browser, is_installed  # noqa: E402
from tarn import PROJECT, ServerTestCase, eventually  # noqa: E402

RESOURCES = PROJECT / "resources"
PAGES = ["/", "/about.html", "/contact.html"]

# Pictures that are far down are loaded when they come into view.
PICTURES = """
    const found = {};
    for (const image of document.images) {
        image.scrollIntoView();
        await image.decode();
        found[new URL(image.src).pathname] = image.naturalWidth;
    }
    return found;
"""

# Fills the form as a visitor does, and waits for the note.
UPLOAD = """
    const [text] = arguments;
    const answer = document.getElementById('answer');
    document.getElementById('document').value = text;
    const shown = new Promise(done => new MutationObserver(done).observe(
        answer, {childList: true, subtree: true}));
    document.querySelector('#upload-form [type=submit]').click();
    await shown;
    while (document.getElementById('upload-form').ariaBusy === 'true')
        await new Promise(done => setTimeout(done, 10));
    const field = document.getElementById('document');
    return {text: answer.innerText, link: answer.querySelector('a')?.href,
            mark: answer.querySelector('mark')?.innerText,
            selected: [field.selectionStart, field.selectionEnd]};
"""

# Adds an element that plays the file, and seeks in it. Tells where it was at each step, and which
# parts have been loaded.
MEDIA = """
    const [kind, url, place] = arguments;
    const media = document.createElement(kind);
    const next = name => new Promise((done, fail) => {
        media.addEventListener(name, done, {once: true});
        media.addEventListener('error', () => fail(media.error.message), {once: true});
    });
    const ready = next('canplay');
    media.muted = true;
    media.src = url;
    document.body.append(media);
    await ready;
    const shown = {duration: media.duration, width: media.videoWidth ?? 0};
    media.play();
    await next('timeupdate');
    const sought = next('seeked');
    media.currentTime = place;
    await sought;
    shown.sought = media.currentTime;
    while (media.currentTime <= place)
        await next('timeupdate');
    media.pause();
    shown.loaded = [...Array(media.buffered.length).keys()].map(
        i => [media.buffered.start(i), media.buffered.end(i)]);
    return shown;
"""

FETCH = """
    const [url, method] = arguments;
    const json = {method, headers: {'Content-Type': 'application/json'}, body: '{}'};
    try {
        const response = await fetch(url, method === 'POST' ? json : {method});
        return `${response.status} ${response.headers.get('location') ?? ''}`.trim();
    } catch (error) {
        return error.name;
    }
"""

WAVE_SECONDS = 600
WAVE_RATE = 44100


def wave_head() -> bytes:
    """The head of a WAV file of 16 bits, mono; silence may follow."""
    size = WAVE_SECONDS * WAVE_RATE * 2
    return (b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt "
            + struct.pack("<IHHIIHH", 16, 1, 1, WAVE_RATE, 2 * WAVE_RATE, 2, 16)
            + b"data" + struct.pack("<I", size))


@unittest.skipUnless(is_installed(), "chromium or chromedriver is not installed")
class BrowserTestCase(ServerTestCase):
    """One browser for the tests of a class."""

    browser: Browser

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.browser.close()
        super().tearDownClass()

    def open(self, target: str) -> None:
        """Loads a page, and forgets what the console holds of others."""
        self.browser.complaints()
        self.browser.open(self.server.url(target))


class PagesTest(BrowserTestCase):
    """The pages that are shipped."""

    @classmethod
    def prepare(cls) -> None:
        for path in RESOURCES.iterdir():
            if path.is_file():
                shutil.copy(path, cls.server.root / path.name)

    def test_pages_are_shown_without_complaint(self) -> None:
        for target in PAGES:
            with self.subTest(target):
                self.open(target)
                heading, lines = self.browser.run(
                    "return [document.querySelector('h1').innerText, document.body.innerText]")
                self.assertTrue(heading)
                self.assertGreater(len(lines), 500)
                self.assertEqual(self.browser.complaints(), [])

    def test_style_is_applied(self) -> None:
        self.open("/")
        rules, font = self.browser.run(
            "return [document.styleSheets[0].cssRules.length,"
            " getComputedStyle(document.body).fontFamily]")
        self.assertGreater(rules, 10)
        self.assertNotIn("Times", font)

    def test_pictures_are_loaded(self) -> None:
        self.open("/")
        found = self.browser.run(PICTURES)
        for name in ("banner.png", "logo.png", "photo.jpg", "gallery.jpg"):
            self.assertGreater(found["/" + name], 0)
        self.assertEqual(self.browser.complaints(), [])

    def test_reload_asks_whether_files_have_changed(self) -> None:
        self.open("/")
        self.browser.run("location.reload()")
        self.server.wait_for_access(rb'"GET /style.css HTTP/1.1" 304 ')

    def test_form_stores_json(self) -> None:
        text = '{"name": "Grüße", "list": [1, 2, 3]}'
        self.open("/")
        shown = self.browser.run(UPLOAD, text)
        self.assertIn("201 Created", shown["text"])
        self.assertRegex(shown["link"], r"/uploads/upload_\d{8}_\d{6}_[0-9a-f]{4,}\.json$")
        stored = self.server.uploads / shown["link"].rpartition("/")[2]
        self.assertEqual(stored.read_text("utf-8"), text)
        self.assertEqual(self.browser.complaints(), [])
        self.browser.open(shown["link"])
        self.assertIn("Grüße", self.browser.run("return document.body.innerText"))

    def test_plain_form_leads_to_its_record(self) -> None:
        """No script has a part in it."""
        text = "Grüße\n<b>x</b> & y"
        self.open("/")
        self.browser.run("document.getElementById('form-name').value = 'Ada';"
                         "document.getElementById('form-message').value = arguments[0];"
                         "document.querySelector('[action=\"/form\"] [type=submit]').click()", text)
        self.server.wait_for_access(rb'"POST /form HTTP/1.1" 303 ')
        self.server.wait_for_access(rb'"GET /form/upload_[^ ]+ HTTP/1.1" 200 ')
        eventually(lambda: self.browser.run("return document.readyState") == "complete",
                   "the page is shown")
        self.assertIn("<b>x</b> & y", self.browser.run("return document.body.innerText"))
        self.assertEqual(self.browser.complaints(), [])
        record = json.loads(max(self.server.stored(), key=os.path.getmtime).read_bytes())
        self.assertEqual(record["fields"], {"name": "Ada", "message": text.replace("\n", "\r\n")})

    def test_form_shows_the_place_of_a_fault(self) -> None:
        before = self.server.stored()
        for text, line, column, fault in (('{"a": 1,}', 1, 9, "}"), ('[1,\n "ü", x]', 2, 7, "x"),
                                          ('["\U0001f600", y]', 1, 7, "y")):
            with self.subTest(text):
                self.open("/")
                shown = self.browser.run(UPLOAD, text)
                self.assertIn("400 Bad Request", shown["text"])
                self.assertRegex(shown["text"], rf"Line {line}, column {column}\b")
                self.assertEqual(shown["mark"], fault)
                units = text[:text.index(fault, 3)].encode("utf-16-le")
                self.assertEqual(shown["selected"], [len(units) // 2, len(units) // 2 + 1])
        self.assertEqual(self.server.stored(), before)

    def test_samples_are_loaded_into_the_form(self) -> None:
        self.open("/")
        script = """
            document.querySelector(`[data-load="${arguments[0]}"]`).click();
            const field = document.getElementById('document');
            while (field.value === '')
                await new Promise(done => setTimeout(done, 10));
            return field.value;
        """
        value = self.browser.run(script, "sample.json")
        self.assertEqual(json.loads(value), json.loads((RESOURCES / "sample.json").read_bytes()))


class MediaTest(BrowserTestCase):
    """Media play, and go on elsewhere at once."""

    @classmethod
    def prepare(cls) -> None:
        shutil.copy(HERE / "clip.webm", cls.server.root)
        cls.server.write("silence.wav", wave_head(), size=44 + WAVE_SECONDS * WAVE_RATE * 2)

    def test_video_plays_and_seeks(self) -> None:
        self.open("/")
        shown = self.browser.run(MEDIA, "video", "/clip.webm", 9)
        self.assertAlmostEqual(shown["duration"], 12, delta=0.2)
        self.assertAlmostEqual(shown["sought"], 9, delta=0.2)
        self.assertEqual(shown["width"], 192)
        self.server.wait_for_access(rb'"GET /clip.webm HTTP/1.1" 206 ')

    def test_audio_seeks_without_loading_what_lies_between(self) -> None:
        self.open("/")
        place = WAVE_SECONDS * 0.8
        shown = self.browser.run(MEDIA, "audio", "/silence.wav", place)
        self.assertAlmostEqual(shown["duration"], WAVE_SECONDS, delta=0.2)
        self.assertAlmostEqual(shown["sought"], place, delta=0.2)
        middle = WAVE_SECONDS / 2
        self.assertFalse([part for part in shown["loaded"] if part[0] <= middle <= part[1]])
        self.server.wait_for_access(rb'(?s)"GET /silence.wav HTTP/1.1" 206 .*'
                                    rb'"GET /silence.wav HTTP/1.1" 206 ')


class CorsTestCase(BrowserTestCase):
    """A page of another origin: to the browser `localhost` is not 127.0.0.1."""

    def fetch(self, method: str) -> str:
        """What a script of that page gets: the status and the location, or why it gets nothing."""
        self.browser.open(f"http://localhost:{self.server.port}/")
        return self.browser.run(FETCH, self.server.url("/upload" if method == "POST" else "/"),
                                method)


class UnlistedOriginTest(CorsTestCase):

    settings = {"cors.origins": ["http://localhost:1"]}

    def test_nothing_is_read_nor_written(self) -> None:
        before = self.server.stored()
        for method in ("GET", "POST"):
            self.assertEqual(self.fetch(method), "TypeError")
        self.assertEqual(self.server.stored(), before)


class AnyOriginTest(CorsTestCase):

    settings = {"cors.origins": ["*"]}

    def test_both_are_possible(self) -> None:
        self.assertEqual(self.fetch("GET"), "200")
        self.assertRegex(self.fetch("POST"), r"\A201 /uploads/upload_\w+\.json\Z")


if __name__ == "__main__":
    unittest.main()
