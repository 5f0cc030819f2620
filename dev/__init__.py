"""The private development site: everything that builds, starts and stops it. The app never imports this package.

Outside of `inside/` the code runs on the system's Python with nothing but the standard library, because it makes
the virtual environment; `inside/` runs in that environment, where Frappe is importable.
"""
