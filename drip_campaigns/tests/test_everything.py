"""Make `bench run-tests --app drip_campaigns` run the tests/ folder: bench looks only inside the package.

This file has its own folder because Frappe 15 finds no tests in a package's first folder.
"""

import importlib.util
import os
import subprocess
import sys
import unittest
from pathlib import Path

import frappe

ROOT = Path(__file__).resolve().parents[2]


@unittest.skipUnless((ROOT / "tests").is_dir(), "installed without its tests: they are in the repository")
class TestDripCampaigns(unittest.TestCase):
	"""All tests of the app that need no browser, run by pytest in its own process."""

	def test_everything_in_the_tests_folder_passes(self) -> None:
		if importlib.util.find_spec("pytest") is None:
			self.fail(f"The tests need more packages. Run: {sys.executable} -m pip install -e {ROOT}[test]")
		frappe.db.rollback()  # locks of this connection would block the tests
		environment = {
			**os.environ,
			"DRIP_SITE": frappe.local.site,
			"DRIP_SITES_PATH": str(Path(frappe.local.sites_path).resolve()),
		}
		command = [sys.executable, "-m", "pytest", "tests", "--ignore=tests/browser", "--ignore=tests/dev"]

		result = subprocess.run(command, cwd=ROOT, env=environment, check=False)

		self.assertEqual(result.returncode, 0, "pytest has printed above what failed")
