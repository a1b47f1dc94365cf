"""The strategies of gRPC."""

from workbench.simulate.strategies.grpc.weighted_round_robin import GrpcWeightedRoundRobin

__all__ = ["GrpcWeightedRoundRobin"]
