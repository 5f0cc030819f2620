"""Measure the speed (`make bench`), and test the promises under faults (`make chaos`).

The app imports nothing from here. Both need a site that may be emptied (`allow_tests`), as the tests do.
"""
