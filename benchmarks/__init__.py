"""Speed and memory, each beside a peer or a limit in one run; `python -m benchmarks` runs them all."""
