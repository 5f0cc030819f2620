"""What runs in the site's virtual environment, where Frappe is importable. Started by the modules above it."""
