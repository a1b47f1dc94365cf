"""Matching two ledgers, with a confidence for every proposal."""
