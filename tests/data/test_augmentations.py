"""Every augmentation gives images of the same kind, the same for equal lots; and texts that name them are checked."""

from __future__ import annotations

import pytest
import torch

from pruning.base.errors import InputError
from pruning.data.augmentations import AUGMENTATIONS, changes_of, check_augment, crop, flip, shift


def images() -> torch.Tensor:
    return torch.randint(0, 256, (6, 3, 20, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("row", [row for row in AUGMENTATIONS.values() if row.change], ids=lambda row: row.name)
def test_a_row_keeps_shape_and_type_and_draws_from_its_lots(row) -> None:  # type: ignore[no-untyped-def]
    before, state = images(), torch.random.get_rng_state()
    first, again, other = (row.change(images(), torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert first.dtype == torch.uint8 and first.shape == before.shape and torch.equal(first, again)
    assert not torch.equal(first, other) and not torch.equal(first, before), "something is changed"
    assert torch.equal(torch.random.get_rng_state(), state), "the lots of the process are left alone"


def test_a_mirrored_image_is_mirrored() -> None:
    found, before = flip(images(), torch.Generator().manual_seed(1)), images()
    mirrored = [torch.equal(one, other.flip(2)) for one, other in zip(found, before, strict=True)]
    same = [torch.equal(one, other) for one, other in zip(found, before, strict=True)]
    assert any(mirrored) and any(same) and all(a or b for a, b in zip(mirrored, same, strict=True))


def test_a_moved_image_keeps_its_middle_and_a_crop_of_one_colour_its_colour() -> None:
    plain = torch.full((4, 3, 16, 16), 77, dtype=torch.uint8)
    moved = shift(plain, torch.Generator().manual_seed(0))
    assert bool((moved[:, :, 2:-2, 2:-2] == 77).all()) and bool((moved == 0).any())
    assert bool((crop(plain, torch.Generator().manual_seed(0)) == 77).all())


def test_texts_are_checked_and_put_in_order() -> None:
    assert check_augment("cutmix, flip") == "flip,cutmix" and check_augment("known") == "known"
    assert changes_of("none") == [] and changes_of("flip,cutmix") == [flip]
    for wrong in ("spin", "flip,known", "", "flip,,crop"):
        with pytest.raises(InputError, match="randaugment"):
            check_augment(wrong)
