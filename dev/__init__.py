"""The private development site: everything that builds, starts and stops it. The app never imports this package.

Outside of `inside/` and `demo/` the code runs on the system's Python with nothing but the standard library, because
it makes the virtual environment; these two run in that environment, where Frappe is importable.
"""
