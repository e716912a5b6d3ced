"""The seam for looking inside: an identity module at every value worth seeing."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor, nn

from seq2see.nn.hooks import every_hook_of


class Tap(nn.Module):
    """Passes a value on unchanged, and gives it a name.

    The tap's name in `network.named_modules()` is the value's public name, for example
    `encoder.0.self.pattern`. A forward hook on the tap reads the value; a hook that returns a
    tensor replaces it. Capture, ablation and patching share this one mechanism.
    """

    def forward(self, value: Tensor) -> Tensor:
        """Returns `value`."""
        return value

    @property
    def watched(self) -> bool:
        """Whether a hook reads or replaces this value or its gradient."""
        return any(every_hook_of(self))


def any_watched(taps: Iterable[Tap]) -> bool:
    """Tells a layer whether it has to take the explicit equation instead of a fused kernel."""
    return any(tap.watched for tap in taps)
