from contextlib import contextmanager

import psycopg

from shop_worker import settings


@contextmanager
def connection():
    with psycopg.connect(settings.DATABASE_URL) as conn:
        yield conn


def set_price(sku, cents):
    with connection() as conn:
        conn.execute("UPDATE products SET price_cents = %s WHERE sku = %s", (cents, sku))


def known_skus():
    with connection() as conn:
        return {row[0] for row in conn.execute("SELECT sku FROM products")}
