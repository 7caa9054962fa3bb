"""What a catalogue of any size costs on a cluster, from measured figures and a stated price."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cluster:
    """A cluster and what is assumed of it.

    Args:
        cores: cores that extract, one worker process each.
        core_price: currency per core and hour. An assumption; put in your own.
        efficiency: images per second of the stage, as a share of cores times images per second of one core.
    """

    cores: int
    core_price: float
    efficiency: float


@dataclass(frozen=True)
class Cost:
    """Hours and money.

    Args:
        first_hours: the first night, on which everything is extracted.
        first_price: its price.
        night_hours: a night on which a share changed: planning of all, extraction of the share.
        night_price: its price.
    """

    first_hours: float
    first_price: float
    night_hours: float
    night_price: float


def cost_of(
    images: int, images_per_second_per_core: float, planning_core_seconds: float, cluster: Cluster, changed_share: float
) -> Cost:
    """The cost of a catalogue.

    Args:
        images: in it.
        images_per_second_per_core: of extraction in a bare loop on one core.
        planning_core_seconds: CPU seconds of an unchanged night over all its rows; taken to divide over the cores.
        cluster: the cluster.
        changed_share: of the images per night, 0 to 1.
    """
    rate = images_per_second_per_core * cluster.cores * cluster.efficiency
    planning = planning_core_seconds / cluster.cores / 3600
    first = images / rate / 3600 + planning
    night = images * changed_share / rate / 3600 + planning
    price = cluster.cores * cluster.core_price
    return Cost(first, first * price, night, night * price)
