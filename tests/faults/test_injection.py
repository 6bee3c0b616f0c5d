"""Goal: whatever call fails on the way of an upload, and however, the answer is true: 201 and it is
on the disk, or what the contract says and nothing is; nothing is left over, and the next works."""

from __future__ import annotations

import errno
import unittest

from shim import (HAS_MODULE, NO_MODULE, SHORT, ShimServer, at, count, error_name,
                  start_again)
from uploads import (KINDS, Judge, Upload, left_over, make_upload, remove_all, send_alone)

from tarn import eventually

DISK = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS)
WANT = (errno.EMFILE, errno.ENOMEM)

# What each call on the way may fail with.
FILE_CALLS = {
    "open": (*DISK, *WANT, errno.EINTR),
    "openat": (*DISK, *WANT, errno.EINTR),
    "write": (*DISK, errno.EINTR, errno.EFBIG, SHORT),
    "pwrite": (*DISK, errno.EINTR, errno.EFBIG, SHORT),
    "read": (errno.EIO, errno.EINTR, SHORT),
    "pread": (errno.EIO, errno.EINTR, SHORT),
    "fsync": (*DISK, errno.EINTR),
    "linkat": (*DISK, *WANT, errno.EINTR),
    "rename": DISK,
    "renameat": (*DISK, errno.EINTR),
    "renameat2": (*DISK, errno.EINTR),
    "mkdirat": (*DISK, errno.ENOMEM),
    "unlinkat": (errno.EIO, errno.EROFS, errno.EINTR),
    "close": (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR),
    "ftruncate": (errno.EIO, errno.EFBIG, errno.EINTR),
    "fchmod": (errno.EIO, errno.EROFS),
    "flock": (errno.EINTR, errno.ENOMEM),
    "fstat": (errno.EIO, errno.ENOMEM),
    "fstatat": (errno.EIO, errno.ENOMEM),
    "fstatvfs": (errno.EIO, errno.EINTR),
    "futimens": (errno.EIO, errno.EROFS),
    "getrandom": (errno.EINTR, errno.ENOSYS),
}

# These may cost the connection, and with it the answer.
CONNECTION_CALLS = {
    "accept4": (errno.EINTR, errno.ECONNABORTED, *WANT),
    "recv": (errno.EINTR, errno.EIO, errno.ENOMEM, SHORT),
    "send": (errno.EINTR, errno.EIO, errno.ENOBUFS, SHORT),
    "sendmsg": (errno.EINTR, errno.EIO, errno.ENOBUFS, SHORT),
    "epoll_ctl": (errno.ENOMEM, errno.ENOSPC),
    "setsockopt": (errno.ENOMEM, errno.EINVAL),
}

# Where these fail, something may stay until the next start.
CLEANING_CALLS = ("unlinkat", "flock", "renameat", "renameat2", "openat", "fstatat")

# With these the server also looks at what is there, where a want means nothing.
LOOKING_CALLS = ("open", "openat", "fstat", "fstatat")

# RFC 4918 section 11.5, and the want of what will be there again soon.
STATUS = {errno.ENOSPC: 507, errno.EDQUOT: 507, errno.EMFILE: 503, errno.ENOMEM: 503}

CALLS_MAX = 60  # of one function that one upload needs


@unittest.skipUnless(HAS_MODULE, NO_MODULE)
class InjectionTest(unittest.TestCase):

    def setUp(self) -> None:
        self.server = ShimServer(workers=2)
        self.addCleanup(self.server.destroy)
        self.server.start()
        self.trials = 0
        self.tolerated: set[str] = set()  # what may stay until the next start

    def next_upload(self, kind: str) -> Upload:
        self.trials += 1
        return make_upload(kind, f"{kind.replace(' ', '-')}-{self.trials}")

    def prepare(self, kind: str) -> list[Upload]:
        """A file that is to be replaced is there before."""
        remove_all(self.server)
        before = [self.next_upload(kind)] if kind == "replaced file" else []
        for upload in before:
            self.assertIn(getattr(send_alone(self.server, upload), "status", None), (201, 204))
        return before

    def assert_clean(self, is_strict: bool) -> None:
        eventually(lambda: self.server.descriptor_count() <= self.server.idle_descriptors,
                   "no descriptor is left open")
        if is_strict:
            eventually(lambda: self.tolerated.issuperset(left_over(self.server)),
                       "nothing is left over")
        else:
            self.tolerated.update(left_over(self.server))

    def try_one(self, kind: str, function: str, error: int, call: int) -> bool:
        """Returns whether there was such a call."""
        sent = self.prepare(kind)
        upload = self.next_upload(kind)
        self.server.board.fail(function, error, call)
        answer = send_alone(self.server, upload)
        hits = self.server.board.hits()
        self.server.board.clear()
        if hits == 0:
            self.assertIn(answer.status if answer else None, (201, 204))
            return False
        if answer:
            allowed = {201, 204, STATUS.get(error, 500)}
            if function in LOOKING_CALLS:
                allowed.add(500)
            self.assertIn(answer.status, allowed, answer.body)
        else:
            self.assertIn(function, CONNECTION_CALLS)
        self.assert_clean(function not in CLEANING_CALLS)
        sent.append(upload)
        Judge(self.server, sent).check()

        repeated = make_upload(kind, upload.token) if "keyed" in kind else self.next_upload(kind)
        answer = send_alone(self.server, repeated)
        self.assertIn(answer.status if answer else None, (201, 204))
        if "keyed" in kind:
            sent.remove(upload)  # it is the same one
        Judge(self.server, [*sent, repeated]).check()
        return True

    def try_all(self, calls: dict[str, tuple[int, ...]], kind: str) -> None:
        all_errors = count("ERRORS", 2)  # of each function; the tests take one after the other
        for function, errors in calls.items():
            for turn in range(min(all_errors, len(errors))):
                for call in range(1, CALLS_MAX):
                    error = errors[(turn + call) % len(errors)]
                    with at(kind=kind, function=function, error=error_name(error),
                                      call=call):
                        if not self.try_one(kind, function, error, call):
                            break

    def test_calls_for_files(self) -> None:
        for kind in KINDS:
            self.try_all(FILE_CALLS, kind)
        self.check_end()

    def test_calls_for_connections(self) -> None:
        for kind in KINDS:
            self.try_all(CONNECTION_CALLS, kind)
        self.check_end()

    def check_end(self) -> None:
        """After the next start nothing is left at all."""
        self.server.finish()
        start_again(self.server)
        self.assertEqual(left_over(self.server), [])
        self.server.finish()
        print(f"{self.trials} uploads with faults", flush=True)


if __name__ == "__main__":
    unittest.main()
