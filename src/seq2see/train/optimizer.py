"""The update rules on float32 masters, and the average of the weights they pass through."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seq2see.nn.network import Network
from seq2see.nn.positions import Learned
from seq2see.train.freeze import Frozen
from seq2see.train.muon import Muon
from seq2see.train.settings import TrainSettings

_KEPT: dict[type[torch.optim.Optimizer], tuple[str, ...]] = {
    torch.optim.AdamW: ("step", "exp_avg", "exp_avg_sq"),
    Muon: ("momentum",),
}
"""What each rule remembers of a weight."""

Tensors = dict[str, Tensor]


class Optimizer:
    """Updates a network from the gradients of one or more batches, by AdamW or by Muon.

    Muon serves the matrices that map vectors to vectors; tables, gains and biases stay with AdamW.

    Weights are kept in float32. A network that computes in bfloat16 gets a rounded copy once a
    step, and its gradients are added up in float32. Source: Loshchilov and Hutter 2019 (AdamW);
    Micikevicius et al. 2018 (float32 masters).

    Args:
        network: the network, already in the precision it computes in.
        settings: the run's settings.
    """

    def __init__(self, network: nn.Module, settings: TrainSettings) -> None:
        self.settings = settings
        self.live = dict(network.named_parameters())
        self.masters: Tensors = {
            name: p if p.dtype == torch.float32 else nn.Parameter(p.detach().float())
            for name, p in self.live.items()
        }
        maps = _maps(network) if settings.optimizer == "muon" else frozenset()
        rest = [p for name, p in self.masters.items() if name not in maps]
        groups = [
            {"params": [p for p in rest if p.dim() > 1], "weight_decay": settings.weight_decay},
            # Gains and biases are scales, not directions: decay would only pull them off 1 and 0.
            {"params": [p for p in rest if p.dim() <= 1], "weight_decay": 0.0},
        ]
        betas = (settings.beta1, settings.beta2)
        self.rules: list[torch.optim.Optimizer] = [
            torch.optim.AdamW(groups, 1.0, betas, settings.epsilon, fused=True)
        ]
        if maps:
            matrices = [p for name, p in self.masters.items() if name in maps]
            precision = next(network.parameters()).dtype
            self.rules.append(Muon(matrices, settings.weight_decay, dtype=precision))
        self.frozen: Frozen | None = None
        if settings.freeze:
            assert isinstance(network, Network)
            self.frozen = Frozen(network, self.masters, settings.freeze)

    def gather(self) -> None:
        """Adds the network's gradients of one batch to those of the update."""
        for name, live in self.live.items():
            master = self.masters[name]
            if live is master or live.grad is None:
                continue
            if master.grad is None:
                master.grad = live.grad.float()
            else:
                master.grad += live.grad
            live.grad = None

    def gradients(self) -> list[Tensor]:
        """Returns the gradient of every weight, zeros where it has none yet."""
        for master in self.masters.values():
            if master.grad is None:
                master.grad = torch.zeros_like(master)
        return [master.grad for master in self.masters.values() if master.grad is not None]

    def update(self, rate: float) -> float:
        """Clips, steps, and hands the new weights to the network.

        Returns:
            The gradient's norm before clipping; where it is not finite, nothing is updated.
        """
        if self.frozen is not None:
            self.frozen.clear_gradients()
        limit = self.settings.clip or float("inf")
        norm = float(nn.utils.clip_grad_norm_(self.masters.values(), limit))
        if norm != norm or norm == float("inf"):
            return norm
        for rule in self.rules:
            for group in rule.param_groups:
                group["lr"] = rate
            rule.step()
            rule.zero_grad()
        if self.frozen is not None:
            self.frozen.put_back()
        self.publish()
        return norm

    @torch.no_grad()
    def publish(self) -> None:
        """Copies the masters into the network."""
        for name, live in self.live.items():
            if live is not self.masters[name]:
                live.copy_(self.masters[name])

    def tensors(self) -> Tensors:
        """Returns all that a resumed run needs, by name."""
        out: Tensors = {}
        for name, master in self.masters.items():
            out[f"weight/{name}"] = master.detach()
            for rule in self.rules:
                for key, value in rule.state.get(master, {}).items():
                    out[f"{key}/{name}"] = value
        return out

    @torch.no_grad()
    def restore(self, tensors: Tensors) -> None:
        """Takes back what `tensors` returned."""
        for name, master in self.masters.items():
            master.copy_(tensors[f"weight/{name}"])
            for rule in self.rules:
                keys = _KEPT[type(rule)]
                if all(f"{key}/{name}" in tensors for key in keys):
                    saved = {key: tensors[f"{key}/{name}"].clone() for key in keys}
                    rule.state[master] = {k: v.to(master.device) for k, v in saved.items()}
        if self.frozen is not None:
            self.frozen.remember()
        self.publish()


def _maps(network: nn.Module) -> frozenset[str]:
    """Names the matrices that map vectors to vectors; a table of vectors has no directions."""
    tables = [m for m in network.modules() if isinstance(m, nn.Embedding | Learned)]
    apart = {id(p) for table in tables for p in table.parameters()}
    named = network.named_parameters()
    found = {name for name, p in named if p.dim() == 2 and id(p) not in apart}
    return frozenset(found - {"output.weight"})


class Average:
    """The mean of the weights over the course of training, which scores better than the last ones.

    Source: `ema`: Polyak and Juditsky 1992, in its exponential form; `last`: Vaswani et al. 2017,
    section 6.1.
    """

    def __init__(self, masters: Tensors, settings: TrainSettings) -> None:
        self.settings, self.masters = settings, masters
        self.mean = {name: p.detach().clone() for name, p in masters.items()}
        self.snapshots: list[Tensors] = []

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Takes in the weights after update `step`."""
        if self.settings.average != "ema":
            return
        # Early on the window grows with the run, so that the random start is soon forgotten.
        decay = min(self.settings.ema_decay, (1 + step) / (10 + step))
        now = [master.detach() for master in self.masters.values()]
        torch._foreach_lerp_(list(self.mean.values()), now, 1 - decay)

    @torch.no_grad()
    def weights(self) -> Tensors:
        """Returns the weights to validate and keep, at a validation."""
        if self.settings.average == "ema":
            return self.mean
        now = {name: p.detach().clone() for name, p in self.masters.items()}
        if self.settings.average == "none":
            return now
        self.snapshots = [*self.snapshots[1 - self.settings.last or len(self.snapshots) :], now]
        return {n: torch.stack([s[n] for s in self.snapshots]).mean(0) for n in self.masters}

    def tensors(self) -> Tensors:
        """Returns all that a resumed run needs, by name."""
        out = {f"mean/{name}": p for name, p in self.mean.items()}
        for i, snapshot in enumerate(self.snapshots):
            out |= {f"snapshot/{i}/{name}": p for name, p in snapshot.items()}
        return out

    def restore(self, tensors: Tensors) -> None:
        """Takes back what `tensors` returned."""
        self.mean = self._taken(tensors, "mean")
        count = sum(key.startswith("snapshot/") for key in tensors) // max(1, len(self.mean))
        self.snapshots = [self._taken(tensors, f"snapshot/{i}") for i in range(count)]

    def _taken(self, tensors: Tensors, kind: str) -> Tensors:
        return {
            name: tensors[f"{kind}/{name}"].clone().to(master.device)
            for name, master in self.masters.items()
        }
