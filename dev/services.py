"""MariaDB and Redis, private to the folder: own data, own ports, loopback only, started and stopped here."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dev import packages, paths, processes, shell

# Ports that no well-known program uses; a used one is replaced by any free one
FIRST_PORT = 33406 if paths.IS_SITE_COPY else 33306
PREFERRED_PORTS = {"mariadb": FIRST_PORT, "redis-cache": FIRST_PORT + 73, "redis-queue": FIRST_PORT + 72}
NAMES = tuple(PREFERRED_PORTS)
READY_SECONDS = 60

DATA = paths.MARIADB / "data"
CREDENTIALS = paths.MARIADB / "admin.cnf"
FIRST_STATEMENTS = paths.MARIADB / "init.sql"
# Two set-ups that share one temporary folder overwrite each other's files
SCRATCH = paths.MARIADB / "tmp"


def start_all() -> list[str]:
	"""Start what is not running, write the ports into the common configuration, return what was started.

	A port recorded earlier is kept where it is free, so that addresses stay the same after a restart.
	"""
	starters: dict[str, Callable[[int], None]] = {
		"mariadb": start_mariadb,
		"redis-cache": lambda port: start_redis("redis-cache", port),
		"redis-queue": lambda port: start_redis("redis-queue", port),
	}
	recorded = read_ports()
	started = [name for name in NAMES if not processes.find(name)]
	if "mariadb" in started:
		create_data()
	with shell.machine_lock("ports"):  # a port that is free now must still be free when the server listens
		for name in started:
			starters[name](processes.free_port(recorded.get(name) or PREFERRED_PORTS[name]))
	ports = {name: process.port for name in NAMES if (process := processes.find(name))}
	if ports != recorded:
		write_ports(ports)
	write_common_config(ports)
	return started


def stop_all() -> list[str]:
	"""Stop what is running and return its names."""
	return [name for name in reversed(NAMES) if processes.stop(name)]


@contextmanager
def services_running() -> Iterator[None]:
	"""Run MariaDB and Redis during a `with` block, and stop those that it started."""
	running = [name for name in NAMES if processes.find(name)]
	try:
		start_all()  # within the block: Ctrl-C may come before all of them are up
		yield
	finally:
		for name in reversed(NAMES):
			if name not in running:
				processes.stop(name)


def ports_file() -> Path:
	return paths.RUN / "ports.json"


def read_ports() -> dict[str, int]:
	try:
		return json.loads(ports_file().read_text())
	except (OSError, ValueError):
		return {}


def write_ports(ports: dict[str, int]) -> None:
	paths.RUN.mkdir(parents=True, exist_ok=True)
	ports_file().write_text(json.dumps(ports, indent=1))


def write_common_config(ports: dict[str, int]) -> None:
	"""Write the addresses into `common_site_config.json`, and keep what a developer added to it."""
	try:
		config = json.loads(paths.COMMON_CONFIG.read_text())
	except (OSError, ValueError):
		config = {}
	merged = {
		"allow_tests": 1,
		"background_workers": 1,
		"disable_async": 1,  # this site has no socket.io server
		"scheduler_tick_interval": 60,
		"webserver_port": 8000,
		**config,
		"db_host": processes.LOOPBACK,
		"db_port": ports["mariadb"],
		"redis_cache": f"redis://{processes.LOOPBACK}:{ports['redis-cache']}",
		"redis_queue": f"redis://{processes.LOOPBACK}:{ports['redis-queue']}",
	}
	if merged != config:
		paths.SITES.mkdir(parents=True, exist_ok=True)
		paths.COMMON_CONFIG.write_text(json.dumps(merged, indent=1) + "\n")


def require(program: str) -> str:
	"""Return the path of a server's program. Raises StepError with how to install it."""
	path = packages.find(program)
	if not path:
		raise shell.StepError(f"The program {program} is not installed", "Run `make site`.")
	return path


def create_data() -> None:
	"""Create MariaDB's data folder, unless it exists.

	The folder is built under another name and renamed at the end: if it is there, it is whole.
	"""
	if DATA.exists():
		return
	draft = paths.MARIADB / "data.building"
	shell.run(["rm", "-rf", draft], log="mariadb-install", remedy="Remove the folder .dev/mariadb by hand.")
	draft.mkdir(parents=True)
	SCRATCH.mkdir(exist_ok=True)
	shell.run(
		[
			require("mariadb-install-db"),
			"--no-defaults",
			f"--datadir={draft}",
			f"--tmpdir={SCRATCH}",
			"--auth-root-authentication-method=normal",
			"--skip-test-db",
			*run_as_root(),
		],
		log="mariadb-install",
		remedy="Check the free space on this disk, then run the command again.",
	)
	draft.rename(DATA)


def run_as_root() -> list[str]:
	"""Return the option without which MariaDB refuses to run as root; others run it as themselves.

	The user `mysql` would not do: it cannot enter the folder of a project that lies in somebody's home.
	"""
	return ["--user=root"] if os.geteuid() == 0 else []


def create_credentials() -> None:
	"""Make the administrator's password, and the statements that MariaDB carries out at each start.

	A fresh data folder has administrators without a password, and anonymous users that shadow a site's own.
	"""
	if CREDENTIALS.exists() and FIRST_STATEMENTS.exists():
		return
	password = secrets.token_urlsafe(18)
	administrators = [f"'root'@'{host}'" for host in ("localhost", processes.LOOPBACK)]
	statements = [
		"DELETE FROM mysql.global_priv WHERE User = ''",
		"DELETE FROM mysql.global_priv WHERE User = 'root'",
		"FLUSH PRIVILEGES",
		*(f"CREATE OR REPLACE USER {user} IDENTIFIED BY '{password}'" for user in administrators),
		*(f"GRANT ALL PRIVILEGES ON *.* TO {user} WITH GRANT OPTION" for user in administrators),
	]
	write_private(FIRST_STATEMENTS, "".join(f"{statement};\n" for statement in statements))
	write_private(CREDENTIALS, f"[client]\nuser=root\npassword={password}\n")


def admin_password() -> str:
	return CREDENTIALS.read_text().rpartition("password=")[2].strip()


def write_private(file: Path, text: str) -> None:
	"""Write a file that only its owner can read."""
	file.parent.mkdir(parents=True, exist_ok=True)
	file.unlink(missing_ok=True)
	with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
		stream.write(text)


def start_mariadb(port: int) -> None:
	"""Start the private MariaDB. Its commits are safe against a crash, as on a real server: tests rely on it."""
	create_credentials()
	SCRATCH.mkdir(exist_ok=True)
	process = processes.start(
		"mariadb",
		[
			require("mariadbd"),
			"--no-defaults",
			*run_as_root(),
			f"--datadir={DATA}",
			f"--tmpdir={SCRATCH}",
			# Relative to the data folder: the path of a socket may have 107 characters only
			"--socket=mariadb.sock",
			"--pid-file=mariadb.pid",
			f"--port={port}",
			f"--bind-address={processes.LOOPBACK}",
			f"--init-file={FIRST_STATEMENTS}",
			"--skip-name-resolve",
			"--skip-log-bin",
			"--character-set-server=utf8mb4",
			"--collation-server=utf8mb4_unicode_ci",
			"--innodb-buffer-pool-size=256M",
			"--innodb-flush-log-at-trx-commit=1",
			"--max-connections=200",
		],
		port=port,
	)
	processes.wait_until(process, lambda: processes.is_listening(port), READY_SECONDS)


def start_redis(name: str, port: int) -> None:
	"""Start one of the two Redis servers; like bench's, neither writes to the disk and the cache may forget."""
	folder = paths.REDIS / name
	folder.mkdir(parents=True, exist_ok=True)
	memory = ["--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"] if name == "redis-cache" else []
	process = processes.start(
		name,
		[
			require("redis-server"),
			*("--port", str(port)),
			*("--bind", processes.LOOPBACK),
			*("--dir", str(folder)),
			*("--save", ""),
			*("--appendonly", "no"),
			*memory,
		],
		port=port,
	)
	processes.wait_until(process, lambda: processes.is_listening(port), READY_SECONDS)
