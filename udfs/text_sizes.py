"""Clothing and shoe sizes in a line of text."""

from __future__ import annotations

import re

from udfs.text_field import Found, without_overlaps

_LETTERS = r"(?:xx?s|[2-6]xl|x{1,4}l|[sml](?![a-z'])|one size|os|free size|均码)"
_CUED = re.compile(
    rf"(?:\bsize|\bstorlek|\bstr\.?|\btaille|\bgr(?:ö|oe)(?:ß|ss)e|\btalla|尺码|尺寸|号型|码数)\s?[:.]?\s?"
    rf"(?:(?P<system>eu|us|uk|fr|it|cn|jp)\s?)?(?P<size>{_LETTERS}(?:\s?[-/]\s?{_LETTERS})?|\d{{1,3}}(?:[.,]5)?(?:\s?[-/]\s?\d{{1,3}})?[ac]?)"
    r"(?![\w.,])"
)
_SYSTEM = re.compile(
    r"(?<![a-z0-9])(?P<system>eu|us|uk|eur|cn|jp)\s?[:.]?\s?(?P<size>\d{1,2}(?:[.,]5)?(?:\s?[-/]\s?\d{1,2})?)(?![\w.,$€])"
)
# Chinese standard GB/T 1335: height/girth and build, e.g. 170/92A.
_HEIGHT_GIRTH = re.compile(r"(?<!\d)(?P<size>(?:0[5-9]\d|1[0-9]\d|2[01]\d)/(?:[4-9]\d|1[0-3]\d)[abcy]?)(?![\d/])")
_ALONE = re.compile(rf"[\s(]*(?P<size>{_LETTERS}(?:\s?[-/]\s?{_LETTERS})?)[\s)]*")
_CODE = re.compile(r"(?<!\d)(?P<size>[23]\d|4[0-8])(?:\.5)?码")

_CLEAR, _SYSTEM_CLARITY, _ALONE_CLARITY = 0.95, 0.85, 0.55


def find_sizes(folded: str) -> list[Found]:
    """Sizes in a folded line (`text_line.fold`): letters (XS to 6XL), numbers after "size", EU/US/UK, 170/92A, 38码.

    A letter size that is the whole line counts with little clarity: on a garment's label it is the size, elsewhere an
    "L" may be anything.
    """
    found = [_found(match, _CLEAR) for match in _CUED.finditer(folded)]
    found += [_found(match, _CLEAR) for match in _HEIGHT_GIRTH.finditer(folded)]
    found += [_found(match, _CLEAR) for match in _CODE.finditer(folded)]
    found += [_found(match, _SYSTEM_CLARITY) for match in _SYSTEM.finditer(folded)]
    if not found and (match := _ALONE.fullmatch(folded)):
        found.append(_found(match, _ALONE_CLARITY))
    return without_overlaps(found)


def _found(match: re.Match[str], clarity: float) -> Found:
    size = re.sub(r"\s?([-/])\s?", r"\1", match["size"]).upper().replace(",", ".")
    size = {"OS": "one size", "ONE SIZE": "one size", "FREE SIZE": "one size", "均码": "one size"}.get(size, size)
    # XXL and 2XL are the same size.
    size = re.sub(r"X{2,}L", lambda letters: f"{len(letters.group()) - 1}XL", size)
    system = match.groupdict().get("system")
    if system:
        size = f"{system.upper().removesuffix('R')} {size}"
    return Found(match.start(), match.end(), size, clarity)
