"""The images of a subject, opened when somebody looks: with the network's classes for theirs, or taught by it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

from torch import nn

from pruning.base.errors import InputError
from pruning.catalog.class_names import Classes, imagenet
from pruning.catalog.network import Network
from pruning.catalog.openers import open_network
from pruning.data.info import DataInfo
from pruning.data.mapped import ByName, MappedData, by_position, in_order, map_classes, mapped_info
from pruning.data.orders import ClassOrder
from pruning.data.own.reference import read_reference
from pruning.data.preprocess import Preprocess
from pruning.data.protocol import Data
from pruning.data.readers import describe_data, is_available, open_data
from pruning.fitting import names_of, output_shape
from pruning.tasks.classification import CLASSIFICATION
from pruning.tasks.taught import TaughtData, taught_info

IMAGENET_CLASSES = 1000
NOT_FOLLOWED = "The class order that was asked for makes no difference"


@dataclass(frozen=True, kw_only=True, eq=False)
class Images:
    """The images of a subject: described at once, opened when somebody looks at them."""

    info: DataInfo
    data_dir: str | None = None
    """Folder or zip that holds them, where one was named."""
    here: bool = True
    """Whether they can be opened without asking for a download."""
    open: Callable[[], Data]
    """Gives them, the same each time. Raises DataError where they are absent or damaged."""

    @staticmethod
    def of(data: Data) -> Images:
        """Images that are open already."""
        return Images(info=data.info, open=lambda: data)

    @staticmethod
    def named(
        reference: str,
        data_dir: str | None = None,
        opening: Callable[..., Data] = open_data,
        preprocess: Preprocess | None = None,
    ) -> Images:
        """Images by reference, opened at most once. `opening` takes what `open_data` takes. `preprocess`: how the
        network sees images of one's own; None for a default chosen from them.

        Raises:
            InputError: there is no such data set, or its images are not prepared otherwise.
            DataError: it cannot be told what it holds.
        """
        how = {} if preprocess is None else {"preprocess": preprocess}
        return Images(
            info=describe_data(reference, preprocess),
            data_dir=data_dir,
            here=is_available(reference, data_dir),
            open=functools.cache(functools.partial(opening, reference, data_dir, **how)),
        )

    def as_told(self, remarks: tuple[str, ...]) -> Images:
        """The same with more to say about them."""
        told = tuple(remark for remark in remarks if remark not in self.info.remarks)
        return replace(self, info=replace(self.info, remarks=(*self.info.remarks, *told)))


def in_its_classes(images: Images, network: Network) -> Images:
    """Images of one's own with a network's classes for theirs.

    Raises:
        InputError: they cannot be brought together.
    """
    info = images.info
    order = _order_asked(info)
    if info.preprocess is None or not info.labelled or info.task != CLASSIFICATION.name:
        return images if order is None else images.as_told((f"{NOT_FOLLOWED}: these images have no labels.",))
    shape = output_shape(network)
    names = names_of(network)
    by_name = _by_name(info, names, shape[1]) if len(shape) == 2 and shape[1] > 1 else None
    if by_name is None and order is not None and by_position(info, names) is not None:
        by_name = in_order(info, order)
        said = by_position(mapped_info(info, by_name), names)
        images = images if said is None else images.as_told((said,))
    elif order is not None:
        images = images.as_told((f"{NOT_FOLLOWED}: the network's classes have names, and are found by these.",))
    if by_name is None:
        said = by_position(info, names)
        return images if said is None else images.as_told((said,))
    told = mapped_info(images.info, by_name)
    opened = functools.cache(lambda: MappedData(info=told, inner=images.open(), by_name=by_name))
    return replace(images, info=told, open=opened)


def taught(images: Images, network: Network) -> Images:
    """Unlabelled images with what the unpruned network puts out for them."""
    info = taught_info(images.info)

    @functools.cache
    def teacher() -> tuple[str, nn.Module]:
        root = open_network(network.root) if network.root else network
        return root.digest, root.model

    opened = functools.cache(lambda: TaughtData(info=info, inner=images.open(), teacher=teacher))
    return replace(images, info=info, open=opened)


def _order_asked(info: DataInfo) -> ClassOrder | None:
    """The class order that the reference of images of one's own names."""
    try:
        return None if info.preprocess is None else read_reference(info.name).order
    except InputError:  # images that were opened without a reference
        return None


def _by_name(info: DataInfo, names: Classes, outputs: int) -> ByName | None:
    """How classes of images belong to outputs. Those of a network that does not name its 1,000 outputs may be
    ImageNet's, where the images are of some of these.

    Raises:
        InputError: they cannot be brought together.
    """
    try:
        return map_classes(info, names, outputs)
    except InputError:
        if names or outputs != IMAGENET_CLASSES:
            raise
        try:
            found = map_classes(info, imagenet(), outputs)
        except InputError:
            found = None
        if found is None:
            raise
        said = "The network does not name its 1,000 outputs: they are taken for ImageNet's classes in the usual order. "
        return replace(found, remark=said + found.remark)
