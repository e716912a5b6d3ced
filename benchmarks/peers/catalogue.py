"""Who takes part: what each toolkit is installed from, and what it has to be given to start."""

from __future__ import annotations

from dataclasses import dataclass

TASKS = ("training", "recurrent", "decoding", "latency")
"""What is measured: training of a Transformer and of a recurrent network, decoding of many
sentences, and of one at a time."""


@dataclass(frozen=True)
class Toolkit:
    """A package from PyPI, or what the project's own environment has already.

    Args:
        name: what it is called; also the folder of its environment.
        requirements: what pip installs; empty for the environment that runs the contest.
        removed: packages that pip brings along and that keep it from starting.
        mended: what was done so that it starts or runs at all, for the record.
        note: what a reader of its figures has to know.
    """

    name: str
    requirements: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    note: str = ""


TOOLKITS = {
    each.name: each
    for each in (
        Toolkit("seq2see"),
        Toolkit("torch", note="torch.nn.Transformer in a plain loop"),
        Toolkit(
            "transformers",
            ("torch", "transformers==5.23.0"),
            note="MarianMTModel from a configuration in a plain loop",
        ),
        Toolkit(
            "eole",
            ("torch", "eole==0.6.4", "aiohttp"),
            mended=("aiohttp installed: imported, not declared",),
        ),
        Toolkit("x-transformers", ("torch", "x-transformers==2.31.10")),
        Toolkit(
            "joeynmt",
            ("torch", "joeynmt==2.3.0", "importlib_metadata"),
            mended=("importlib_metadata installed: imported, not declared",),
        ),
        Toolkit(
            "yoyodyne",
            ("torch", "yoyodyne==0.5.27"),
            removed=("torchvision",),
            mended=("torchvision removed: not needed, and not loadable beside every torch",),
        ),
        Toolkit("ctranslate2", ("ctranslate2==4.8.5", "numpy")),
    )
}
