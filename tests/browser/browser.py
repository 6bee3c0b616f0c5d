"""A headless Chromium, driven through chromedriver by the WebDriver protocol (W3C), which is JSON
over HTTP: the standard library does."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from typing import Any

DRIVER_TRIES = 10
PATIENCE = 60  # seconds: a browser starts slowly on a busy machine

ARGUMENTS = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1200,900",
             "--autoplay-policy=no-user-gesture-required", "--mute-audio",
             "--disable-background-networking", "--disable-component-update", "--no-first-run"]

STARTED = re.compile(rb"started successfully on port (\d+)")


def is_installed() -> bool:
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


def start_driver() -> tuple[subprocess.Popen[bytes], int]:
    """Starts chromedriver, and returns its port too. It ends at once where the port that is free
    for one IP version is taken for the other; then it is tried again."""
    for _ in range(DRIVER_TRIES):
        driver = subprocess.Popen(["chromedriver", "--port=0"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert driver.stdout is not None
        for line in driver.stdout:
            match = STARTED.search(line)
            if match:
                return driver, int(match[1])
        driver.stdout.close()
        driver.wait(PATIENCE)
    raise RuntimeError("chromedriver does not start")


class Browser:
    """One window, with a profile of its own. To be closed."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="tarn-browser-")
        self.session = ""
        try:
            self.driver, port = start_driver()
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        self.address = f"http://127.0.0.1:{port}/session"
        try:
            self.session = self.open_session()
        except BaseException:
            self.close()
            raise

    def open_session(self) -> str:
        """Starts the browser. Its sandbox is not to be had for root."""
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        options = {"binary": shutil.which("chromium"),
                   "args": [*ARGUMENTS, *sandbox, f"--user-data-dir={self.folder}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"},
                  "timeouts": {"script": PATIENCE * 1000, "pageLoad": PATIENCE * 1000}}
        return self.call("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def call(self, method: str, path: str, arguments: dict[str, Any] | None = None) -> Any:
        """One command of the protocol; returns its value."""
        data = None if arguments is None else json.dumps(arguments).encode()
        address = f"{self.address}/{self.session}{path}" if self.session else self.address
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=2 * PATIENCE) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise RuntimeError(json.load(error)["value"]["message"]) from None

    def close(self) -> None:
        try:
            if self.session:
                self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(PATIENCE)
            if self.driver.stdout is not None:
                self.driver.stdout.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def open(self, url: str) -> None:
        """Loads a page, with all that it refers to."""
        self.call("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """Runs the body of an async function in the page, and returns what it returns."""
        wrapped = f"return (async function() {{ {script} }}).apply(null, arguments);"
        return self.call("POST", "/execute/sync", {"script": wrapped, "args": list(arguments)})

    def complaints(self) -> list[str]:
        """What the console holds of warnings and errors since the last call."""
        entries = self.call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("WARNING", "SEVERE")]
