"""Runs in which things may fail, compiled."""
