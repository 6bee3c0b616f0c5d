"""Who is measured: tarn, the servers that people use today, and the limit case.

Configurations are templates in bench/config/; what differs between a run with and one without an
access log stands here. Each server gets a folder, a port and the document root.
"""

from __future__ import annotations

import getpass
import grp
import os
import pwd
import resource
import shutil
import string
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from processes import Server, free_port

CONFIGURATIONS = Path(__file__).resolve().parent / "config"


@dataclass(frozen=True)
class Peer:
    """A server that can be started. Braces in its texts stand for what `Setup.values` has."""

    name: str
    command: list[str]
    package: str = ""  # that it comes from, and whose version is told
    config: str = ""  # template in CONFIGURATIONS
    log_on: str = ""  # what goes for $log in the template, or is added to the command
    log_off: str = ""
    log_module: str = ""  # of lighttpd, which loads what logs only if it shall
    environment: dict[str, str] = field(default_factory=dict)
    note: str = ""


PEERS = {peer.name: peer for peer in (
    Peer("tarn", ["{tarn}", "-c", "{config}", "{port}", "127.0.0.1", "{workers}"],
         config="tarn.conf", log_on="{folder}/access.log", log_off="off",
         note="{workers} workers"),
    Peer("limit", ["{limit}", "{port}", "1", "{response}", "{body}"],
         note="epoll, recv and send of the same bytes, no more; one thread"),
    Peer("limit-2", ["{limit}", "{port}", "2", "{response}", "{body}"],
         note="the same with two threads"),
    Peer("nginx", ["nginx", "-c", "{config}", "-e", "{folder}/error.log"], "nginx-light",
         "nginx.conf", "{folder}/access.log combined", "off",
         note="two workers, open-file cache, a write for each line of the log"),
    Peer("nginx-buffered", ["nginx", "-c", "{config}", "-e", "{folder}/error.log"], "nginx-light",
         "nginx.conf", "{folder}/access.log combined buffer=64k flush=1s", "off",
         note="the same with a buffered log, as tarn's is"),
    Peer("lighttpd", ["lighttpd", "-D", "-f", "{config}"], "lighttpd", "lighttpd.conf",
         'accesslog.filename = "{folder}/access.log"', "", log_module='"mod_accesslog"',
         note="two workers; its log is buffered"),
    Peer("h2o", ["h2o", "-c", "{config}"], "h2o", "h2o.yaml", "access-log: {folder}/access.log", "",
         note="two threads, a write for each line of the log"),
    Peer("apache", ["apache2", "-D", "FOREGROUND", "-f", "{config}"], "apache2", "apache.conf",
         'CustomLog {folder}/access.log "%h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" '
         '\\"%{{User-Agent}}i\\""', "", note="mpm_event, two processes with 64 threads"),
    Peer("caddy", ["caddy", "run", "--config", "{config}", "--adapter", "caddyfile"], "caddy",
         "Caddyfile", "log {{\n\t\toutput file {folder}/access.log {{\n\t\t\troll_disabled\n"
         "\t\t}}\n\t}}", "",
         environment={"GOMAXPROCS": "2", "HOME": "{folder}", "XDG_DATA_HOME": "{folder}",
                      "XDG_CONFIG_HOME": "{folder}"}, note="two threads of Go"),
    Peer("civetweb", ["civetweb", "-listening_ports", "127.0.0.1:{port}", "-document_root",
                      "{root}", "-num_threads", "{workers}", "-enable_keep_alive", "yes",
                      "-keep_alive_timeout_ms", "30000", "-tcp_nodelay", "1",
                      "-error_log_file", "{folder}/error.log"],
         "civetweb", log_on="-access_log_file {folder}/access.log",
         note="a thread for each connection, {workers} threads"),
    Peer("busybox", ["busybox", "httpd", "-f", "-p", "127.0.0.1:{port}", "-h", "{root}"], "busybox",
         note="a process for each connection, no keep-alive, no access log"),
    Peer("python", ["python3", "-m", "http.server", "-b", "127.0.0.1", "-d", "{root}",
                    "--protocol", "HTTP/1.1", "{port}"], "python3",
         note="http.server; a thread for each connection"),
)}

REAL = ["tarn", "nginx", "lighttpd", "h2o", "apache", "caddy", "civetweb"]
LIMITS = ["limit", "limit-2"]


@dataclass
class Setup:
    """What a server is started with."""

    folder: Path
    root: Path
    programs: Path  # the folder of a build: server, limit, crowd, flood
    log: bool = True
    workers: int = 20
    durability: str = "fsync"
    listing: bool = False
    response: Path | None = None  # of the limit case
    body: Path | None = None

    def values(self, port: int) -> dict[str, str]:
        user = getpass.getuser()
        service = "www-data" if os.geteuid() == 0 else user
        group = grp.getgrgid(pwd.getpwnam(service).pw_gid).gr_name
        return {
            "folder": str(self.folder), "root": str(self.root), "port": str(port),
            "workers": str(self.workers), "durability": self.durability,
            "listing": "true" if self.listing else "false",
            "tarn": str(self.programs / "server"), "limit": str(self.programs / "limit"),
            "response": str(self.response or ""), "body": str(self.body or ""),
            "user": user, "service_user": service, "service_group": group,
            "descriptors": str(resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
            "config": str(self.folder / "config"),
        }


def is_installed(peer: Peer) -> bool:
    return not peer.package or shutil.which(peer.command[0]) is not None


def version(peer: Peer) -> str:
    """The version of the package; empty for what is built here."""
    if not peer.package:
        return ""
    answer = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", peer.package],
                            capture_output=True, text=True, check=False)
    return answer.stdout if answer.returncode == 0 else "not from a package"


def prepare(peer: Peer, setup: Setup, accounted: bool = True) -> Server:
    """Writes the configuration and returns the server, not yet started."""
    port = free_port()
    values = setup.values(port)
    setup.folder.mkdir(parents=True, exist_ok=True)
    log = (peer.log_on if setup.log else peer.log_off).format_map(values)
    if peer.config:
        template = string.Template((CONFIGURATIONS / peer.config).read_text())
        text = template.substitute(values, log=log, log_module=peer.log_module if setup.log else "")
        (setup.folder / "config").write_text(text)
        log = ""
    command = [part.format_map(values) for part in peer.command] + log.split()
    environment = {key: text.format_map(values) for key, text in peer.environment.items()}
    return Server(peer.name, [part for part in command if part], port, setup.folder, environment,
                  accounted)


def describe(name: str, workers: int) -> dict[str, str]:
    peer = PEERS[name]
    return {"version": version(peer), "note": peer.note.format(workers=workers)}
