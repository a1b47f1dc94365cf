"""The command line: `program` gathers the commands, each other module holds a group of them."""

from workbench.cli.program import app, main

__all__ = ["app", "main"]
