"""Which roles a head can take on, and what is said of those that it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from helpers import transformer_settings
from seq2see.errors import ConfigError
from seq2see.nn.plan import HeadRole

SELF = "encoder.0.self"


@pytest.mark.parametrize(
    ("role", "changes", "said"),
    [
        ({"at": "encoder.0.slef"}, {}, r"Did you mean encoder\.0\.self"),
        ({"at": "encoder.1.self"}, {}, "no attention is named"),
        ({"head": 2}, {}, "heads from 0 to 1"),
        ({"at": "decoder.0.self", "role": "next"}, {}, "has not read yet"),
        ({"at": "decoder.0.self", "role": "last"}, {}, "where the text ends"),
        ({"at": "decoder.0.self", "role": "diagonal"}, {}, "where the text ends"),
        ({"how": "fixed"}, {"kv_heads": 1}, "share their keys"),
        ({"how": "init"}, {"kv_heads": 1}, "share their keys"),
        ({"how": "fixed"}, {"projections": False}, "there are none"),
        ({"how": "init"}, {"positions": "rotary"}, "they are rotary"),
        ({"how": "init"}, {"tied_query_key": True}, "one map serves both"),
        ({"how": "init"}, {"frequencies": 1}, "1 are left"),
        ({"how": "init", "at": "decoder.0.cross"}, {}, "has two"),
        ({"how": "init", "role": "window(1)"}, {}, "previous, next, self or gaussian"),
        ({"role": "previus"}, {}, "Did you mean previous"),
    ],
    ids=str,
)
def test_what_a_head_cannot_do_is_refused(
    role: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    given = {"at": SELF, "head": 0, "role": "previous"} | role
    with pytest.raises(ConfigError, match=said):
        transformer_settings(roles=(HeadRole(**given),), **changes)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"gain": 0.0}, "above 0"),
        ({"weight": float("nan")}, "above 0"),
        ({"until": -1}, "0 for never"),
        ({"until": 9}, "means nothing to a head that is bias"),
        ({"weight": 1.0, "how": "init"}, "it is for guided"),
        ({"gain": 3.0, "how": "fixed"}, "it is for bias and init"),
        ({"shift": True}, "for the role links"),
        ({"role": "links"}, "guided"),
        ({"role": "links", "how": "guided"}, "over the source"),
    ],
    ids=str,
)
def test_malformed_values_are_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        HeadRole(**({"at": SELF, "head": 0, "role": "previous"} | values))


def test_a_head_has_one_role() -> None:
    twice = (HeadRole(SELF, 1, "previous"), HeadRole(SELF, 1, "next", "fixed"))
    with pytest.raises(ConfigError, match="two roles for one head"):
        transformer_settings(roles=twice)


@pytest.mark.parametrize("how", ["bias", "guided"])
def test_shared_keys_and_raw_attention_take_what_changes_no_map(how: Any) -> None:
    role = HeadRole(SELF, 1, "previous", how)
    transformer_settings(roles=(role,), kv_heads=1)
    transformer_settings(roles=(role,), projections=False)


def test_a_role_is_told_in_a_sentence() -> None:
    told = [
        HeadRole(SELF, 0, "window(2)"),
        HeadRole("decoder.0.cross", 1, "links", "guided", until=2000, shift=True),
    ]
    assert list(map(str, told)) == [
        "head 0 of encoder.0.self: window(2) (bias, gain 6)",
        "head 1 of decoder.0.cross: links (guided, weight 0.05, until step 2,000, shifted)",
    ]
