import os

os.environ.setdefault("DATABASE_URL", "postgresql:///shop_test")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6379/15")
