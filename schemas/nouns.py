"""How products of a taxonomy path are spoken of: the noun with its number in English, its measure word in Chinese.

`nouns.json` holds what differs from the taxonomy's own names ("Loafer" is sold as a pair of loafers) and from what
stands above: measure word, color, audience and wear come from the nearest path above, number and pair from the category
only, because a department's noun ("clothing") says nothing of the number of its types.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.taxonomy import Taxonomy, TaxonomyError, load_taxonomy

Number = Literal["one", "many", "mass"]
ColorOf = Literal["product", "packaging", "none"]

NOUNS_FILE = Path(__file__).with_name("nouns.json")


class Noun(BaseModel):
    """What to call a product.

    Args:
        en: English noun as it stands in a sentence, in the number below.
        zh: Chinese noun.
        number: one (a shirt), many (jeans, cookies), mass (oat milk).
        pair: whether English counts it in pairs (a pair of jeans).
        measure: Chinese measure word; None where the picture does not say how it is counted.
        color: what a picture's color is the color of; none where it goes without saying (bananas).
        audience: who it is for by its very kind.
        wear: whether it is worn, not used.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    zh: str
    number: Number = "one"
    pair: bool = False
    measure: str | None = None
    color: ColorOf = "product"
    audience: Literal["baby"] | None = None
    wear: bool = False


UNKNOWN = Noun(en="product", zh="商品")
"""The noun of a product whose category nobody knows."""


def noun_for(path: str | None, taxonomy: Taxonomy | None = None) -> Noun | None:
    """The noun of a taxonomy path; of the nearest path above for one that the taxonomy lacks; None without any.

    Args:
        path: taxonomy path, or None.
        taxonomy: the project's when None; give the extended one for enrolled types.
    """
    known = taxonomy or load_taxonomy()
    while path and path not in known:
        path = path.rpartition("/")[0]
    if not path:
        return None
    entries = load_nouns()
    node = known.node(path)
    fields: dict[str, Any] = {}
    for above in (*known.ancestors(path), path):
        inherited = {name: value for name, value in entries.get(above, {}).items() if name not in {"en", "zh"}}
        if above != path and known.node(above).level == "department":
            inherited = {name: value for name, value in inherited.items() if name not in {"number", "pair"}}
        fields |= inherited
        if inherited.get("number") and "pair" not in inherited:
            fields.pop("pair", None)
    own = entries.get(path, {})
    return Noun(en=own.get("en") or _in_sentence(node.name["en"]), zh=own.get("zh") or node.name["zh"], **fields)


def _in_sentence(name: str) -> str:
    """Lower case at the start, but not of an abbreviation: "Polo shirt" to "polo shirt"; "T-shirt" stays."""
    return name[0].lower() + name[1:] if re.match(r"[A-Z][a-z]", name) else name


@cache
def load_nouns() -> dict[str, dict[str, Any]]:
    """The entries of `nouns.json` by path, checked.

    Raises:
        TaxonomyError: an entry stands for no path, or has a wrong field.
    """
    entries: dict[str, dict[str, Any]] = json.loads(NOUNS_FILE.read_text(encoding="utf-8"))["nouns"]
    taxonomy = load_taxonomy()
    for path, entry in entries.items():
        if path not in taxonomy:
            raise TaxonomyError(f"nouns.json speaks of {path!r}, which is not in the taxonomy; rename or remove it")
        try:
            Noun.model_validate({"en": "x", "zh": "x", **entry})
        except ValidationError as error:
            raise TaxonomyError(f"nouns.json, {path!r}: {error}") from error
    return entries
