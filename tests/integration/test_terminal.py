"""Goal: a server that runs in a window of a terminal ends with it, though the signal that tells of
it also means a reload; what is typed there reaches it.

The windows are pseudo terminals. No wait for what comes out of them, or for the end of who runs in
them, is longer than PATIENCE.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
import unittest

from background import Background, processes_of
from tarn import BANNER_URL, EXECUTABLE, PATIENCE, SANITIZER_WORDS, eventually

INTERRUPT = "\x03"  # Ctrl-C
END_OF_INPUT = "\x04"  # Ctrl-D


class Window:
    """A terminal, and a server's command that was started in it."""

    def __init__(self, server: Background, *arguments: str, ignores_hang_up: bool = False,
                 is_held: bool = False) -> None:
        """In one that is held, as by Ctrl-S, whoever prints waits."""
        self.unread = ""  # printed, not yet expected
        self.end, inner = pty.openpty()
        self.name = os.ttyname(inner)
        if is_held:
            termios.tcflow(inner, termios.TCOOFF)

        def enter() -> None:
            """In the new process, which leads a session. Who runs the tests may ignore HUP."""
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            signal.signal(signal.SIGHUP, signal.SIG_IGN if ignores_hang_up else signal.SIG_DFL)

        try:
            self.process = subprocess.Popen(
                [EXECUTABLE, *arguments], cwd=server.folder, stdin=inner, stdout=inner,
                stderr=inner, start_new_session=True, preexec_fn=enter)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(inner)

    def close(self) -> None:
        """Closes the window; whoever runs in it is told by HUP."""
        if self.end >= 0:
            os.close(self.end)
        self.end = -1

    def destroy(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE)
        self.close()

    def type(self, text: str) -> None:
        os.write(self.end, text.encode())

    def fill(self, deadline: float) -> bool:
        """Takes some of what was printed; False when nobody is there any more to print."""
        patience = max(0.0, deadline - time.monotonic())
        if not select.select([self.end], [], [], patience)[0]:
            raise AssertionError(f"nothing more was printed after {self.unread!r}")
        try:
            data = os.read(self.end, 4096)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        self.unread += data.decode("utf-8", "backslashreplace")
        if SANITIZER_WORDS.search(self.unread):
            raise AssertionError(f"a sanitizer complained:\n{self.unread}")
        return bool(data)

    def expect(self, pattern: str | re.Pattern[str]) -> re.Match[str]:
        """Waits until the pattern has been printed, behind what was expected before."""
        deadline = time.monotonic() + PATIENCE
        while not (match := re.search(pattern, self.unread)):
            if not self.fill(deadline):
                raise AssertionError(f"no {pattern!r}, but {self.unread!r}")
        self.unread = self.unread[match.end():]
        return match

    def wait(self) -> int:
        """Waits until nobody has the terminal any more, and returns the exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.end >= 0 and self.fill(deadline):
            pass
        return self.process.wait(PATIENCE)


class TerminalTestCase(unittest.TestCase):

    def setUp(self) -> None:
        self.server = Background({"log.error": "error.log"})
        self.addCleanup(self.server.destroy)

    def run_in_window(self, *arguments: str, ignores_hang_up: bool = False) -> Window:
        """Runs a command that starts a server, until it has said where that serves."""
        window = Window(self.server, *arguments, "0", "127.0.0.1", "2",
                        ignores_hang_up=ignores_hang_up)
        self.addCleanup(window.destroy)
        self.server.port = int(window.expect(BANNER_URL).group(1))
        return window

    def assert_serves(self) -> None:
        self.assertEqual(self.server.get("/").status, 200)

    def wait_for_reload(self) -> None:
        log = self.server.folder / "error.log"
        eventually(lambda: "the configuration has been reloaded" in log.read_text(), "a reload")


class ForegroundTest(TerminalTestCase):
    arguments: tuple[str, ...] = ()
    hint = "Ctrl-C stops it"

    def open_window(self, ignores_hang_up: bool = False) -> Window:
        window = self.run_in_window(*self.arguments, ignores_hang_up=ignores_hang_up)
        window.expect(self.hint)  # it is the last word: the server waits for signals
        return window

    def test_closed_window_ends_it(self) -> None:
        window = self.open_window()
        window.close()
        self.assertEqual(window.wait(), 0)
        self.server.wait_until_gone()

    def test_hang_up_with_an_open_window_is_a_reload(self) -> None:
        window = self.open_window()
        window.process.send_signal(signal.SIGHUP)
        self.wait_for_reload()
        self.assert_serves()

    def test_closed_window_after_a_reload_ends_it(self) -> None:
        window = self.open_window()
        window.process.send_signal(signal.SIGHUP)
        self.wait_for_reload()
        window.close()
        self.assertEqual(window.wait(), 0)
        self.server.wait_until_gone()

    def test_one_that_ignores_the_hang_up_outlives_its_window(self) -> None:
        window = self.open_window(ignores_hang_up=True)
        window.close()
        self.wait_for_reload()
        self.assert_serves()
        window.process.send_signal(signal.SIGTERM)
        self.assertEqual(window.wait(), 0)
        self.server.wait_until_gone()

    def test_interrupt_key_ends_it(self) -> None:
        window = self.open_window()
        window.type(INTERRUPT)
        self.assertEqual(window.wait(), 0)
        self.server.wait_until_gone()

    def test_window_that_is_closed_during_the_start_ends_it(self) -> None:
        window = Window(self.server, *self.arguments, "0", "127.0.0.1", "2", is_held=True)
        self.addCleanup(window.destroy)
        eventually(lambda: self.thread_count() > 2, "it starts its threads, and then prints")
        window.close()
        self.assertEqual(window.wait(), 0)
        self.server.wait_until_gone()

    def thread_count(self) -> int:
        return max((len(os.listdir(f"/proc/{pid}/task"))
                    for pid in processes_of(self.server.folder)), default=0)


class ConsoleTest(ForegroundTest):
    """What holds without a console holds with it too; and then there are the commands."""

    arguments = ("--console",)
    hint = "status, reload, restart or quit can be typed here"
    help = "status, reload, restart, quit"

    def restart(self, window: Window) -> int:
        """Types the command, and returns the number of the new process."""
        old = self.server.pid()
        window.type("restart\n")
        window.expect(BANNER_URL)
        window.expect(self.hint)
        eventually(lambda: self.server.pid() != old, "another process serves")
        return self.server.pid()

    def test_status_is_printed(self) -> None:
        window = self.open_window()
        window.type("status\n")
        window.expect(r"workers +2: ")

    def test_reload_is_done_and_told(self) -> None:
        window = self.open_window()
        window.type("reload\n")
        window.expect("the configuration has been reloaded")
        self.wait_for_reload()

    def test_restarted_server_has_the_same_window(self) -> None:
        window = self.open_window()
        process = f"/proc/{self.restart(window)}"
        self.assertEqual(os.readlink(f"{process}/fd/1"), window.name)
        self.assertEqual(os.readlink(f"{process}/fd/2"), window.name)

    def test_restarted_server_serves_on_the_same_port(self) -> None:
        self.restart(self.open_window())
        self.assert_serves()

    def test_restarted_server_obeys(self) -> None:
        window = self.open_window()
        new = self.restart(window)
        window.type("status\n")
        window.expect(rf"process +{new}, tarn ")

    def test_closed_window_ends_a_restarted_server(self) -> None:
        window = self.open_window()
        self.restart(window)
        window.close()
        self.assertEqual(window.wait(), 0)
        self.server.wait_until_gone()

    def test_vanished_file_leaves_the_old_server(self) -> None:
        window = self.open_window()
        old = self.server.pid()
        (self.server.folder / "server.conf").unlink()
        window.type("restart\n")
        window.expect("server.conf: cannot be read: No such file or directory")
        self.assert_serves()
        self.assertEqual(self.server.pid(), old)

    def test_log_in_a_terminal_that_stops_the_background_is_written(self) -> None:
        """As after `stty tostop`: the server is not in the terminal's foreground, the console is."""
        self.server.configure(log__error="stderr")
        window = self.open_window()
        for label in ("first", "restarted"):
            with self.subTest(label):
                modes = termios.tcgetattr(window.end)
                modes[3] |= termios.TOSTOP
                termios.tcsetattr(window.end, termios.TCSANOW, modes)
                os.kill(self.server.pid(), signal.SIGHUP)
                window.expect("the configuration has been reloaded")
                self.assert_serves()
                self.restart(window)

    def test_failed_start_is_told_once(self) -> None:
        for where in ("stderr", "error.log"):
            with self.subTest(where):
                self.server.configure(log__error=where, root="nowhere")
                window = Window(self.server, "--console", "0")
                self.addCleanup(window.destroy)
                self.assertEqual(window.wait(), 1)
                self.assertEqual(window.unread.count("nowhere"), 1, window.unread)
                self.assertEqual(window.unread.count("\n"), 1, window.unread)
        self.assertIn("nowhere", (self.server.folder / "error.log").read_text())

    def test_quit_ends_it(self) -> None:
        window = self.open_window()
        window.type("quit\n")
        window.expect("stopped")
        self.assertEqual(window.wait(), 0)
        self.server.wait_until_gone()

    def test_unknown_word_is_answered_with_the_commands(self) -> None:
        window = self.open_window()
        window.type("nonsense\n")
        window.expect(self.help)

    def test_word_that_was_corrected_is_read_as_it_stands(self) -> None:
        window = self.open_window()
        window.type("statux\x7fs\n")
        window.expect(r"workers +2: ")

    def test_commands_typed_ahead_are_all_obeyed(self) -> None:
        window = self.open_window()
        window.type("nonsense\nstatus\nquit\n")
        window.expect(self.help)
        window.expect(r"workers +2: ")
        self.assertEqual(window.wait(), 0)

    def test_end_of_input_leaves_it_running(self) -> None:
        window = self.open_window()
        window.type(f"nonsense\n{END_OF_INPUT}")
        window.expect(self.help)
        self.assert_serves()
        window.type(INTERRUPT)
        self.assertEqual(window.wait(), 0)


class BackgroundTest(TerminalTestCase):

    def test_started_server_outlives_the_window(self) -> None:
        window = self.run_in_window("start")
        self.assertEqual(window.wait(), 0)
        window.close()
        self.assert_serves()
        self.assertEqual(self.server.run("stop").returncode, 0)


if __name__ == "__main__":
    unittest.main()
