"""Fuzzing: random and hostile input to everything that strangers can reach.

`make test` runs it with few examples, and `make fuzz` with many. A test outside this folder that belongs to `make fuzz` has
the mark `fuzz`.
"""
