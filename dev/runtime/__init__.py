"""The runtime of the dev site: the package `frappe`, made from the registry's package `monoframe`.

`build.py` fetches and turns back, `corrections.py` names every change and its reason, `added/` holds the few
modules that were cut out and had to be written again. The app knows nothing of this folder.
"""
