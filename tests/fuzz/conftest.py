"""The depth of the fuzzing: the profiles of the property tests (tests/core/conftest.py)."""

from tests.core import conftest as profiles

assert profiles.COMMON  # the import registers and loads the profile
