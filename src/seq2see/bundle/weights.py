"""The numbers of a network in a file, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from seq2see.bundle.reading import RESTORE, need
from seq2see.errors import BundleError, is_out_of_memory
from seq2see.nn.network import Network

_DRAWS = frozenset({"kaiming_uniform_", "normal_", "uniform_"})
"""Names of the methods of a tensor, and of the functions of torch.nn.init, that draw weights."""


class Undrawn(TorchFunctionMode):
    """Leaves new weights as memory happens to hold them: a file is about to replace them all."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Returns the tensor as it is where `func` would draw it."""
        kwargs = kwargs or {}
        if func.__name__ in _DRAWS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def weights(network: Network) -> dict[str, Tensor]:
    """Returns parameters and running statistics by name; a shared matrix stands once."""
    named = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    return {name: tensor.detach().contiguous() for name, tensor in named.items()}


def load_weights(network: Network, path: Path) -> None:
    """Copies the tensors of a file into the network.

    Raises:
        BundleError: the file is missing, damaged or foreign, or a tensor does not fit the network
            or holds what is no number.
    """
    need(path)
    try:
        found = load_file(path)
    except (OSError, RuntimeError, SafetensorError) as error:  # the second: it vanished or shrank
        if is_out_of_memory(error):
            raise
        raise BundleError(f"damaged or foreign ({error})", where=str(path), mend=RESTORE) from error
    wanted = weights(network)
    for name in sorted(wanted.keys() ^ found.keys()):
        state = "is missing" if name in wanted else "does not belong to this network"
        raise BundleError(f"the tensor {name} {state}", where=str(path), mend=RESTORE)
    for name, tensor in wanted.items():
        if _kind(found[name]) != _kind(tensor):
            raise BundleError(
                f"the tensor {name} is {_kind(found[name])}",
                expected=_kind(tensor),
                where=str(path),
                mend=RESTORE,
            )
        if not _all_finite(found[name]):
            raise BundleError(
                f"the tensor {name} holds what is no finite number", where=str(path), mend=RESTORE
            )
        tensor.copy_(found[name])


def _all_finite(tensor: Tensor) -> bool:
    # One pass and no mask: what is no number comes out as both ends.
    return tensor.numel() == 0 or all(end.isfinite() for end in tensor.aminmax())


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
