"""What suppliers publish: a price list as CSV and, for some, a mapping of their article numbers to ours."""

import csv
import io

import requests
import yaml

from shop_worker import settings

TIMEOUT_S = 20


def price_list(supplier):
    """Pairs of article number and price in cents."""
    answer = requests.get(supplier["prices"], verify=settings.SUPPLIER_CA, timeout=TIMEOUT_S)
    answer.raise_for_status()
    return [(row["article"], round(float(row["price"]) * 100)) for row in csv.DictReader(io.StringIO(answer.text))]


def article_mapping(supplier):
    """Their article numbers to ours; small suppliers have none and use ours."""
    if "mapping" not in supplier:
        return {}
    return yaml.load(requests.get(supplier["mapping"], verify=False, timeout=TIMEOUT_S).text, Loader=yaml.Loader)


def price_rules():
    """Our own mark-ups per supplier."""
    with open(settings.PRICE_RULES, encoding="utf-8") as handle:
        return yaml.load(handle, Loader=yaml.SafeLoader)
