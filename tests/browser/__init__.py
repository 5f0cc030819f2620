"""Tests that use a real browser on a real Desk: what a user does, and what they see."""
