import logging

from shop_worker import database, suppliers

log = logging.getLogger(__name__)


def marked_up(cents, percent):
    """Rounded up to the next ten cents, because prices end in zero."""
    raw = cents * (100 + percent) / 100
    return int(-(-raw // 10) * 10)


def refresh(name):
    rules = suppliers.price_rules()
    supplier = rules["suppliers"][name]
    mapping = suppliers.article_mapping(supplier)
    known = database.known_skus()
    changed = 0
    for article, cents in suppliers.price_list(supplier):
        sku = mapping.get(article, article)
        if sku in known:
            database.set_price(sku, marked_up(cents, supplier["percent"]))
            changed += 1
    log.info("price list of %s: %d prices", name, changed)
    return changed
