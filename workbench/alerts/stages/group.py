"""Group: which alerts share a message."""

from __future__ import annotations

from dataclasses import replace

from workbench.alerts.stages._base import Known, Parcel, Stage


class GroupStage(Stage):
    """Puts the alerts of a parcel into one for each set of values of the labels that its way groups by."""

    def apply(self, parcel: Parcel, known: Known) -> list[Parcel]:
        """Form the groups."""
        if parcel.way is None:
            return [parcel]
        names = parcel.way.group_by
        groups: dict[object, Parcel] = {}
        for alert in parcel.alerts:
            labels = alert.labels if names is None else alert.labels.only(names)
            group = groups.get(labels, replace(parcel, alerts=(), group_labels=labels))
            groups[labels] = replace(group, alerts=(*group.alerts, alert))
        return list(groups.values())
