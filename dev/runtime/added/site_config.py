"""The configuration of a site: `common_site_config.json`, then the site's own `site_config.json` above it."""

from __future__ import annotations

import json
import os
from typing import Any

import frappe


def read_site_config(
	defaults: dict[str, Any], sites_path: str | None, site_path: str | None
) -> dict[str, Any]:
	"""Return the defaults overlaid by both files; a file that does not exist yet changes nothing."""
	config = frappe._dict(defaults)
	sites_path = sites_path or getattr(frappe.local, "sites_path", None) or "."
	site_path = site_path or getattr(frappe.local, "site_path", None)
	files = [os.path.join(sites_path, "common_site_config.json")]
	if site_path:
		files.append(os.path.join(site_path, "site_config.json"))
	for path in files:
		if os.path.exists(path):
			with open(path) as file:
				config.update(json.load(file))
	return config
