"""Prices and offers in a line of text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from udfs.text_field import Found, without_overlaps
from udfs.text_numbers import NUMBER, parse_number


@dataclass(frozen=True)
class CurrencyDefaults:
    """What signs stand for that several currencies share; ISO 4217 codes.

    Args:
        dollar: $.
        yen: ¥, which China and Japan share.
        krona: kr, which Sweden, Norway, Denmark and Iceland share.
    """

    dollar: str = "USD"
    yen: str = "CNY"
    krona: str = "SEK"


_SIGNS = {
    "us$": "USD", "usd": "USD", "hk$": "HKD", "nt$": "TWD", "c$": "CAD", "ca$": "CAD", "a$": "AUD", "au$": "AUD",
    "s$": "SGD", "€": "EUR", "eur": "EUR", "euro": "EUR", "£": "GBP", "gbp": "GBP", "rmb": "CNY", "cny": "CNY",
    "人民币": "CNY", "元": "CNY", "块": "CNY", "円": "JPY", "jpy": "JPY", "₩": "KRW", "krw": "KRW", "₹": "INR",
    "inr": "INR", "sek": "SEK", "nok": "NOK", "dkk": "DKK", "chf": "CHF", "pln": "PLN", "zł": "PLN", "r$": "BRL",
}  # fmt: skip
_BEFORE = r"kr\.?|us\$|hk\$|nt\$|ca?\$|au?\$|s\$|r\$|usd|eur|gbp|rmb|cny|人民币|jpy|sek|nok|dkk|chf|[$€£¥₩₹]"
_AFTER = r"€|euros?\b|eur\b|£|\$|元|块|円|₩|kr\b|kr(?=\.|/)|sek\b|nok\b|dkk\b|chf\b|usd\b|cny\b|rmb\b|zł|pln\b"
_UNIT = (
    r"(?:\s?(?:/|per |每|a )\s?(?P<per>kg|lb|100\s?g|100\s?ml|g|l|pc|st|ea|each|斤|公斤|千克|件|个|盒|瓶|袋|包|支))?"
)
# Shops write 19:90 and 25:- in the north; 25,- and 25.- further south.
_AMOUNT = rf"(?P<amount>\d+[:;](?:\d\d(?!\d)|-)|\d+[.,]-|{NUMBER})"

_SIGN_FIRST = re.compile(rf"(?<![a-z0-9])(?P<sign>{_BEFORE})\s{{0,2}}{_AMOUNT}{_UNIT}")
_SIGN_LAST = re.compile(rf"(?<![\w.,]){_AMOUNT}\s{{0,2}}(?P<sign>{_AFTER}){_UNIT}")
_OFFER = re.compile(
    rf"(?<![\w.,])(?P<count>\d{{1,2}})\s?(?:for|för|for kun|fur|für|/(?=\s?[$€£¥])|pour|件|个|盒|瓶)\s?"
    rf"(?P<before>{_BEFORE})?\s?{_AMOUNT}\s?(?P<after>{_AFTER})?(?![\w%])"
)
_DASHED = re.compile(r"(?<![\w.,/-])(?P<amount>\d+(?:[:;](?:\d\d|-)|[.,]-))(?![\w:])")
# A price sign read as a letter: the only thing on the line but for the number.
_MISREAD = re.compile(r"\s*(?P<sign>[ys])\s?(?P<amount>\d{1,5}[.,]\d\d)\s*")
_BARE = re.compile(r"\s*(?!(?:19|20)\d\d)(?P<amount>\d{1,4}[.,]\d\d)\s*")
_DECIMAL = re.compile(r"(?<![\w.,])(?P<amount>\d{1,5}[.,]\d\d)(?!\w)")
_OLD = re.compile(r"\b(?:was|rrp|msrp|before|list price|ord\.?)\b|原价|吊牌价|零售价|划线价|市场价")
_CUE = re.compile(r"\b(?:price|pris|now|only|sale)\b|价|特惠|仅需")

_CLEAR, _OLD_PRICE, _DASH, _GUESS, _BARE_NUMBER = 0.97, 0.8, 0.75, 0.6, 0.4
_MOST = 10_000_000.0


def find_prices(folded: str, defaults: CurrencyDefaults | None = None) -> list[Found]:
    """Prices in a folded line (`text_line.fold`), in its order.

    Currency by sign, word or code before or after the number; offers ("2 for 5", "3件99元") carry their count. A number
    with two decimals and nothing else on the line is a price with little clarity and no unit.

    Args:
        folded: the line.
        defaults: what ambiguous signs stand for.
    """
    chosen = defaults or CurrencyDefaults()
    found: list[Found] = []
    clear = _OLD_PRICE if _OLD.search(folded) else _CLEAR
    for match in _OFFER.finditer(folded):
        sign = match["before"] or match["after"]
        # "3 for 5" may be anything in a long sentence; with a sign it is an offer.
        clarity = clear if sign else _DASH if match["amount"].endswith("-") else _GUESS
        found.append(_found(match, sign, clarity, chosen, int(match["count"])))
    for pattern in (_SIGN_FIRST, _SIGN_LAST):
        found += [_found(match, match["sign"], clear, chosen) for match in pattern.finditer(folded)]
    found += [_found(match, None, _DASH, chosen) for match in _DASHED.finditer(folded) if _looks_dashed(match)]
    if not found and (misread := _MISREAD.fullmatch(folded)):
        found.append(_found(misread, "$" if misread["sign"] == "s" else "¥", _GUESS, chosen))
    if not found and (bare := _BARE.fullmatch(folded)):
        found.append(_found(bare, None, _BARE_NUMBER, chosen))
    if not found and _CUE.search(folded) and (cued := _DECIMAL.search(folded)):
        found.append(_found(cued, None, _GUESS, chosen))
    return without_overlaps([one for one in found if one.amount is not None and 0 < one.amount < _MOST])


def _looks_dashed(match: re.Match[str]) -> bool:
    """19:90 could be a time of day; 25:- could not."""
    amount = match["amount"]
    if amount.endswith("-"):
        return True
    hours, minutes = re.split("[:;]", amount)
    return int(hours) > 23 or int(minutes) > 59


def _found(match: re.Match[str], sign: str | None, clarity: float, defaults: CurrencyDefaults, count: int = 1) -> Found:
    digits = match["amount"]
    if re.search(r"[:;]|-$", digits):
        digits = re.sub(r"[.,:;]?-$", "", digits).replace(":", ".").replace(";", ".")
    amount = parse_number(digits)
    unit = _currency(sign, defaults)
    value = "" if amount is None else f"{amount:.2f}"
    value += f" {unit}" if unit else ""
    if count > 1:
        value = f"{count} for {value}"
    per = match.groupdict().get("per")
    if per and per not in {"each", "ea"}:
        value += f" per {per}"
    return Found(match.start(), match.end(), value, clarity, amount, unit, count)


def _currency(sign: str | None, defaults: CurrencyDefaults) -> str | None:
    if sign is None:
        return None
    return {"$": defaults.dollar, "¥": defaults.yen, "kr": defaults.krona, "kr.": defaults.krona}.get(
        sign
    ) or _SIGNS.get(sign.removesuffix("s"))
