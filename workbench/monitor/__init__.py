"""Watching queues: live runs, and what is read from real systems."""
