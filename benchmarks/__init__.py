"""How fast the dispatcher is, and whether its promises hold when everything around it fails: `make bench`, `make chaos`.

Nothing here is imported by the app. Both need a site that may be emptied (`allow_tests`), as the tests do.
"""
