"""Independent streams of random numbers, one for each use.

Every draw of a run comes from the workload's streams or a balancer's own, so that two strategies
under the same seed and replication see the same requests: common random numbers.
"""

from __future__ import annotations

from enum import IntEnum

from numpy.random import PCG64, Generator, SeedSequence


class Stream(IntEnum):
    """What a stream is for. The numbers are part of a seed's meaning and never change."""

    ARRIVALS = 0
    SERVICE = 1
    ROUTING = 2
    """Which balancer a request comes to."""
    BALANCER = 3
    """A balancer's own draws; one stream for each balancer."""
    THINK = 4
    KEYS = 5
    PATIENCE = 6
    """How long each client waits for its service to begin."""
    FAULTS = 7
    """When things break; a stream for each fault and server."""
    ERRORS = 8
    """Which requests a failing server answers with an error."""
    CHECKS = 9
    """A balancer's health checks."""
    DETECTORS = 10
    """A balancer's detector."""
    WEIGHTS = 11
    """A balancer's rule of weights."""
    FAILOVER = 13
    """Which group of servers a balancer picks in."""
    CLIENTS = 12
    """Waits before retries, and the balancer that a further try comes to."""


def generator(seed: int, *, replication: int, stream: Stream, index: int = 0) -> Generator:
    """Start a stream.

    Args:
        seed: the scenario's seed, 0 or more.
        replication: number of the replication, 0 or more.
        stream: what the stream is for.
        index: which of several streams of this use, such as the balancer's number.
    """
    return Generator(PCG64(SeedSequence(seed, spawn_key=(replication, int(stream), index))))
