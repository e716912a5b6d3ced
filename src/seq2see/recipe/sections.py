"""The sections of a recipe that no floor below owns, and the resolved recipe itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from seq2see.bundle.folder import network_settings
from seq2see.config import Tree, as_table, nearest, parse
from seq2see.data.tokenizers import TokenKind
from seq2see.decode.options import SearchOptions
from seq2see.errors import ConfigError
from seq2see.nn.roles import LINKS
from seq2see.nn.settings import Settings, TransformerSettings
from seq2see.train.settings import TrainSettings

Choice = Literal["auto", "yes", "no"]


@dataclass(frozen=True)
class DataSettings:
    """Where pairs come from and how they are cut.

    Args:
        train: the data file, in any form `seq2see check` reads.
        dev: held-out pairs; empty: a part of `train` is held out by source.
        links: a file of alignments in Pharaoh's format, as `0-0 1-2`, one line for each line of
            `train`; needed where a head is guided by links.
        columns: where source, target and features stand in a TSV.
        held_out: pairs to hold out where `dev` is empty (0: a twentieth, 50 to 2,000).
        source: what a piece of the source is.
        target: what a piece of the target is.
        joint: whether both sides share one vocabulary.
        vocabulary: pieces to learn for bpe and unigram (0: derived).
        compose: whether text is decomposed inside and composed again on the way out (Hangul).
        copies: how many distinct unknown pieces of a source can be copied through; -1: derived.
        copy_noise: the share of training pairs in which a piece is hidden behind a copy mark.
    """

    train: str = ""
    dev: str = ""
    links: str = ""
    columns: str = "source=1,target=2"
    held_out: int = 0
    source: TokenKind | Literal["auto"] = "auto"
    target: TokenKind | Literal["auto"] = "auto"
    joint: Choice | bool = "auto"
    vocabulary: int = 0
    compose: Choice | bool = "auto"
    copies: int = -1
    copy_noise: float = 0.1

    def __post_init__(self) -> None:
        for name, low, high in (
            ("held_out", 0, float("inf")),
            ("vocabulary", 0, 10_000_000),
            ("copies", -1, 1000),
            ("copy_noise", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(
                    f"found {value}",
                    expected=f"a number from {low} to {high}",
                    where=f"data.{name}",
                )


@dataclass(frozen=True)
class DecodeSettings:
    """How the finished model decodes unless told otherwise.

    Args:
        beam: hypotheses kept a step; 1 is greedy.
        length_penalty: the power of the length a score is divided by.
        no_repeat_ngram: no n-gram of this many tokens occurs twice; 0: no such rule.
    """

    beam: int = 5
    length_penalty: float = 1.0
    no_repeat_ngram: int = 0

    def __post_init__(self) -> None:
        SearchOptions(**asdict(self))  # which knows the ranges


@dataclass(frozen=True)
class Recipe:
    """A resolved recipe: nothing is left to be chosen.

    Args:
        data: pairs and tokenizers.
        model: the network.
        train: the training run.
        decode: the finished model's search.
        seed: where all randomness starts.
        preset: the preset it began from.
    """

    data: DataSettings
    model: Settings
    train: TrainSettings
    decode: DecodeSettings = field(default_factory=DecodeSettings)
    seed: int = 1
    preset: str = "auto"

    def __post_init__(self) -> None:
        roles = self.model.roles if isinstance(self.model, TransformerSettings) else ()
        linked = [each for each in roles if each.role == LINKS]
        if linked and not self.data.links:
            raise linked[0].error("no links are given", mend="Name their file as data.links")
        if self.data.links and not linked:
            raise ConfigError(
                "no head is guided by the links",
                where="data.links",
                mend='Give a head the role "links" with how = "guided", or leave the file out',
            )
        for each in roles:
            compares = each.role != LINKS and each.function.tokens
            if compares and each.at.endswith(".cross") and self.data.joint is not True:
                raise each.error(
                    f"{each.role} compares tokens of the source with tokens of the target, and"
                    " their ids mean the same in a joint vocabulary alone",
                    mend="Set data.joint=true; or define your role by @role(tokens=False), if it"
                    " reads no tokens",
                )

    def as_tree(self) -> Tree:
        """Returns the recipe as tables, in the order a reader wants them."""
        tree: dict[str, Any] = {"seed": self.seed, "preset": self.preset}
        for name in ("data", "model", "train", "decode"):
            tree[name] = as_table(getattr(self, name))
        return tree

    @classmethod
    def from_tree(cls, tree: Tree) -> Recipe:
        """Reads what `as_tree` wrote.

        Raises:
            ConfigError: a key or a table is unknown, or a value malformed.
        """
        known = [each.name for each in fields(cls)]
        for name in tree:
            if name not in known:
                raise ConfigError("unknown setting", where=name, mend=nearest(name, known))
        return cls(
            data=parse(DataSettings, tree.get("data", {}), "data"),
            model=network_settings(tree["model"]),
            train=parse(TrainSettings, tree.get("train", {}), "train"),
            decode=parse(DecodeSettings, tree.get("decode", {}), "decode"),
            seed=seed_of(tree),
            preset=str(tree.get("preset", "auto")),
        )


def seed_of(tree: Tree) -> int:
    """Returns a draft's seed, 1 where none is written.

    Raises:
        ConfigError: the seed is no whole number from 0 on.
    """
    seed = tree.get("seed", 1)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise ConfigError(f"found {seed!r}", expected="a whole number from 0 on", where="seed")
    return seed
