"""A bundle's card: what it is, how well it does, and how to use it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seq2see.bundle.folder import Bundle
from seq2see.data.pairs import Pair
from seq2see.nn.plan import HeadRole


def write_card(bundle: Bundle, dev: Sequence[Pair]) -> str:
    """Writes a Markdown page from the recipe and the scores."""
    recipe, scores = bundle.recipe, bundle.scores
    model, training = recipe["model"], scores["training"]
    shown = [
        f"| {s['metric']} | {s['value']:.2f} | {s['low']:.2f} to {s['high']:.2f} |"
        f" `{s['signature']}` |"
        for s in scores["dev"]
    ]
    settings = [f"- {name}: `{value}`" for name, value in model.items() if name != "roles"]
    roles = [f"- {HeadRole(**table)}" for table in model.get("roles", ())]
    return "\n".join(
        [
            f"# {Path(recipe['data']['train'].split(',')[0]).name}: a {model['kind']} of seq2see",
            "",
            f"Trained on `{recipe['data']['train']}` for {training['steps']:,} steps"
            f" ({training['seconds'] / 60:.1f} minutes, seed {training['seed']});"
            f" {bundle.network.parameter_count:,} parameters.",
            "",
            f"Scores on {len(dev):,} held-out pairs, with 95 % bootstrap intervals:",
            "",
            "| metric | value | interval | signature |",
            "|---|---|---|---|",
            *shown,
            "",
            "Use it:",
            "",
            "```sh",
            "seq2see translate THIS_FOLDER input.txt",
            "```",
            "",
            "## The network",
            "",
            *settings,
            "",
            *(["## Heads that were given a role", "", *roles, ""] if roles else []),
        ]
    )


def pruned_card(bundle: Bundle, gone: int, by: str) -> str:
    """Writes a Markdown page for a model that lost heads; it has not been scored since.

    Args:
        bundle: the smaller model.
        gone: how many heads it lost.
        by: the measure that chose them.
    """
    model = bundle.recipe["model"]
    settings = [f"- {name}: `{value}`" for name, value in model.items()]
    return "\n".join(
        [
            f"# {Path(bundle.recipe['data']['train'].split(',')[0]).name}: a pruned {model['kind']}"
            " of seq2see",
            "",
            f"{gone} heads were cut, those worth least by `{by}`;"
            f" {bundle.network.parameter_count:,} parameters are left. It has not been trained or"
            " scored since.",
            "",
            "Train it on:",
            "",
            "```sh",
            "seq2see train DATA train.start=THIS_FOLDER",
            "```",
            "",
            "## The network",
            "",
            *settings,
            "",
        ]
    )
