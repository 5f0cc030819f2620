"""A real mail server for tests to be read by IMAP: Dovecot, private to the session, on the loopback address, without any rights.

Its folder lies in the system's folder for temporary files, because the path of a socket may have 107 characters only.
"""

import grp
import imaplib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.fakes import LOOPBACK, _free_port

PASSWORD = "drip-test"
NOBODY = "nobody"
START_SECONDS = 20
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"))
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap
listen = {host}
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


def why_not() -> str:
	"""Return why there can be no such server here, with the remedy; nothing if there can."""
	program = shutil.which("dovecot", path=SEARCH_PATH)
	if not program:
		return "Dovecot is not installed: sudo apt-get install --no-install-recommends dovecot-imapd"
	version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
	return "" if version.startswith("2.3") else f"the configuration is for Dovecot 2.3, and this is {version}"


class ImapServer:
	"""A mail server with a mailbox for each address that logs in; all have the same password."""

	def __init__(self) -> None:
		self.port = _free_port()
		self._folder = Path(tempfile.mkdtemp(prefix="drip-imap-"))
		self._process: subprocess.Popen | None = None

	def start(self) -> None:
		"""Start and wait until it answers; raise RuntimeError with its log if it does not."""
		account = pwd.getpwnam(NOBODY) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
		os.chown(self._folder, account.pw_uid, account.pw_gid)
		config = self._folder / "dovecot.conf"
		config.write_text(self._configure(account))
		rights = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
		self._process = subprocess.Popen(
			[shutil.which("dovecot", path=SEARCH_PATH) or "dovecot", "-F", "-c", config],
			cwd=self._folder,
			stdin=subprocess.DEVNULL,
			**(rights if os.geteuid() == 0 else {}),
		)
		deadline = time.monotonic() + START_SECONDS
		while not self._answers():
			if time.monotonic() > deadline or self._process.poll() is not None:
				log = self._folder / "dovecot.log"
				raise RuntimeError(f"Dovecot does not answer:\n{log.read_text() if log.exists() else ''}")
			time.sleep(0.05)

	def stop(self) -> None:
		"""Stop it, and forget its mail."""
		if self._process:
			self._process.terminate()
			self._process.wait(timeout=10)
		shutil.rmtree(self._folder, ignore_errors=True)

	def deliver(self, to: str, raw: bytes) -> None:
		"""Put a message into the mailbox of an address; plus addresses have the mailbox of the plain one."""
		with self._open(to) as connection:
			status, answer = connection.append("INBOX", None, None, raw)
			assert status == "OK", answer

	def count_unread(self, mailbox: str) -> int:
		"""Return the number of unread messages in a mailbox."""
		with self._open(mailbox) as connection:
			connection.select("INBOX")
			return len(connection.search(None, "UNSEEN")[1][0].split())

	def _open(self, address: str) -> imaplib.IMAP4:
		local, _at, domain = address.rpartition("@")
		connection = imaplib.IMAP4(LOOPBACK, self.port, timeout=10)
		connection.login(f"{local.partition('+')[0]}@{domain}".lower(), PASSWORD)
		return connection

	def _answers(self) -> bool:
		try:
			with imaplib.IMAP4(LOOPBACK, self.port, timeout=5):
				return True
		except (OSError, imaplib.IMAP4.error):
			return False

	def _configure(self, account: pwd.struct_passwd) -> str:
		group = grp.getgrgid(account.pw_gid).gr_name
		return CONFIG.format(
			folder=self._folder, host=LOOPBACK, port=self.port, password=PASSWORD,
			user=account.pw_name, group=group, uid=account.pw_uid, gid=account.pw_gid,
		)  # fmt: skip
