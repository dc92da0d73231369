"""The documented orders in which the classes of a subject's images may be numbered."""

from __future__ import annotations

from pruning.data.orders import other_orders
from pruning.data.own.reference import with_option
from pruning.data.readers import describe_data
from pruning.fitting import names_of
from pruning.subject import Subject


def possible_orders(subject: Subject) -> dict[str, str]:
    """Orders that would number its classes otherwise than the images do, by name and in words; none where the network
    names its classes, which are found by these."""
    if not subject.info.labelled or names_of(subject.network):
        return {}
    classes = describe_data(with_option(subject.data_name, "order", None)).classes
    return {order.name: order.words for order, _ in other_orders(classes)}
