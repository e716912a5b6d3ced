"""Taking out what a head or a layer says: zeros, a mean, or what it said elsewhere in its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from seq2see.config import nearest
from seq2see.data.rows import Texts
from seq2see.data.tokenizers import PAD
from seq2see.decode.score import side_by_side
from seq2see.decode.translate import Translator
from seq2see.errors import ConfigError
from seq2see.look import place
from seq2see.look.capture import capture, whole
from seq2see.look.forced import force
from seq2see.look.names import BETWEEN, Site, find, only
from seq2see.nn.hooks import Hooks

WAYS = ("zero", "mean", "resample")
"""What can take the place of what is taken out."""

Filler = Callable[[Tensor], Tensor]
"""Makes what takes a value's place, in a shape that broadcasts to it."""


@dataclass(frozen=True, eq=False)
class Ablation:
    """What is taken out, and what takes its place; see `ablate`."""

    at: str
    heads: tuple[int, ...] | None
    by: str
    data: Texts | Tensor | None
    seed: int

    @property
    def lacks_data(self) -> bool:
        """Whether values are to take the place of others, and it is not said whose."""
        return self.by != "zero" and self.data is None

    def hooks(self, translator: Translator) -> Hooks:
        """Makes the hooks that do it, after taking the reference values where there are any."""
        network = only(translator.network)
        site = find(network, self.at)
        heads = None if self.heads is None else site.chosen(self.heads)
        _check_possible(site, self.by)
        if self.lacks_data:
            raise ConfigError(
                "no reference data",
                where=f"ablate {self.at} by {self.by}",
                mend="Give data=, sources or pairs whose values take the place of these",
            )
        act = partial(_filled, filler=self._filler(site, translator), heads=heads)
        resampling = self.by == "resample"
        before = place.following_target(network).before if resampling else ()
        return Hooks(after=((site.tap, act),), before=before)

    def _filler(self, site: Site, translator: Translator) -> Filler:
        if self.by == "zero" or self.data is None:
            return torch.zeros_like
        data = self.data
        values = data if isinstance(data, Tensor) else reference(translator, self.at, data)
        if self.by == "resample":
            return partial(_resampled, site=site, values=values, seed=self.seed)
        mean = values if isinstance(data, Tensor) else values.mean(0)
        return partial(_mean, site=site, mean=mean)


def ablate(
    at: str,
    heads: Sequence[int] | None = None,
    by: str = "zero",
    data: Texts | Tensor | None = None,
    seed: int = 1,
) -> Ablation:
    """Describes what is to be taken out of a network, for `Model.edit`.

    An ablated head reads nothing of its own: its context, which the output projection would read,
    is replaced at every position. (The bias of that projection stays, since it belongs to no head.)
    What replaces it depends on its position at most, never on the rows beside it, so outputs do not
    change with the batch:

    - `zero`: zeros.
    - `mean`: the mean over all real positions of `data`, by head and feature.
    - `resample`: what stood at one real position of `data`; position p takes that which a generator
      seeded by (`seed`, p) draws, in every row, and all heads of the value take the same.

    Source: zero: Michel et al. 2019, section 2.3; mean: Wang et al. 2022 (knockouts); resample:
    Chan et al. 2022 (causal scrubbing).

    Args:
        at: an attention (`decoder.1.cross`), a feed-forward layer (`encoder.0.feedforward`), a
            recurrence or a block; or any tap but scores, patterns and logits.
        heads: which heads of an attention, from 0; None takes all.
        by: what takes its place.
        data: for `mean` and `resample`: sources, or pairs with the targets to be forced along; the
            values are taken when the edit begins, under the edits that hold then. Or values already
            taken: a mean `[head, feature]`, or positions `[value, head, feature]` to draw from, as
            `reference` gives them; without `head` where the value is not kept by head. None leaves
            it to `Model.edit`, which takes pairs that were held out when the model was trained.
        seed: of the draws, 0 or more.

    Raises:
        ConfigError: `by` is none of the three, or `seed` is below 0.
    """
    if by not in WAYS:
        raise ConfigError(f"found {by!r}", where="by", mend=nearest(str(by), WAYS))
    if seed < 0:
        raise ConfigError(f"found {seed}", expected="0 or more", where="seed")
    return Ablation(at, None if heads is None else tuple(heads), by, data, seed)


def reference(
    translator: Translator, at: str, texts: Texts
) -> Float[Tensor, "value *head feature"]:
    """Collects a value at every real position of some data, in the order of the data.

    Args:
        translator: the model.
        at: as in `ablate`.
        texts: sources, or pairs with the targets to be forced along.
    """
    network = only(translator.network)
    site = find(network, at)
    forced = force(translator, texts)
    rows: dict[int, Tensor] = {}
    budget = translator.options.batch_tokens
    for given in side_by_side(network, forced.sources, forced.targets, budget):
        captured, _ = capture(network, given, [site])
        value = whole(site, captured[site.name])
        value = value.transpose(1, 2) if value.ndim == 4 else value  # row position (head) feature
        real = given.real if site.place == "source" else given.wanted != PAD
        for row, each, kept in zip(given.rows, value, real, strict=True):
            rows[row] = each[kept]
    return torch.cat([rows[row] for row in range(len(rows))])


def _check_possible(site: Site, by: str) -> None:
    if site.last in BETWEEN or site.last == "prediction":
        raise ConfigError(
            "this value cannot be ablated",
            where=site.name,
            mend="Name the attention to take out what it reads, or replace its pattern"
            if site.last in BETWEEN
            else "Ablate what leads to it",
        )
    if site.stepwise and by == "resample":
        raise ConfigError(
            "the value passes step by step inside a recurrence and cannot be resampled",
            where=site.name,
            mend="Resample the recurrence's states, or ablate by zero or mean",
        )


def _mean(value: Tensor, site: Site, mean: Tensor) -> Tensor:
    """Shapes `[head, feature]` as `[head, 1, feature]`."""
    _check_shape(site, mean, value)
    return mean.unsqueeze(-2) if value.ndim == 4 else mean


def _resampled(value: Tensor, site: Site, values: Tensor, seed: int) -> Tensor:
    """Draws `[head, position, feature]` from `[value, head, feature]`."""
    _check_shape(site, values[0], value)
    places = place.positions(site.place, value.shape[-2], value.device).tolist()
    chosen = values[[_draw(seed, p, len(values)) for p in places]]
    return chosen.transpose(0, 1) if value.ndim == 4 else chosen


@lru_cache(maxsize=4096)
def _draw(seed: int, position: int, count: int) -> int:
    return int(np.random.default_rng([seed, position]).integers(count))


def _check_shape(site: Site, found: Tensor, value: Tensor) -> None:
    expected = [value.shape[1], value.shape[-1]] if value.ndim == 4 else [value.shape[-1]]
    if list(found.shape) != expected:
        raise ConfigError(
            f"reference values of shape {list(found.shape)} for each position",
            expected=str(expected),
            where=site.name,
            mend="Take them with seq2see.look.ablate.reference",
        )


def _filled(value: Tensor, filler: Filler, heads: list[int] | None) -> Tensor:
    new = filler(value).to(value)
    by_head = value.ndim == 4
    chosen = torch.full((value.shape[1] if by_head else 1,), heads is None, device=value.device)
    if heads:
        chosen[heads] = True
    return torch.where(chosen[:, None, None] if by_head else chosen, new, value)
