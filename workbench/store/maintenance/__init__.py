"""Keeping a lake in order: what is in it, fewer files, room, checks, moves and migrations."""

from workbench.store.maintenance.collection import Collected, collect
from workbench.store.maintenance.compaction import Compacted, compact
from workbench.store.maintenance.exchange import Exchanged, export_runs, import_runs
from workbench.store.maintenance.inventory import Inventory, TableInventory, take_inventory
from workbench.store.maintenance.merging import merge_small_parts
from workbench.store.maintenance.migration import Migrated, add_histograms, migrate
from workbench.store.maintenance.retention import RolledUp, roll_up
from workbench.store.maintenance.room import require_room, room_for_requests
from workbench.store.maintenance.tuning import Trial, tune
from workbench.store.maintenance.verification import Finding, verify

__all__ = [
    "Collected",
    "Compacted",
    "Exchanged",
    "Finding",
    "Inventory",
    "Migrated",
    "RolledUp",
    "TableInventory",
    "Trial",
    "add_histograms",
    "collect",
    "compact",
    "export_runs",
    "import_runs",
    "merge_small_parts",
    "migrate",
    "require_room",
    "roll_up",
    "room_for_requests",
    "take_inventory",
    "tune",
    "verify",
]
