import os

DATABASE_URL = os.environ["DATABASE_URL"]
REDIS_URL = os.environ["REDIS_URL"]
MEDIA_ROOT = os.environ.get("MEDIA_ROOT", "./media")
STATUS_HOST = os.environ.get("STATUS_HOST", "127.0.0.1")
PREVIEW = os.environ.get("PREVIEW") == "1"

SMTP_HOST = os.environ.get("SMTP_HOST", "mail.lantern-and-leaf.example")
SMTP_USER = "orders@lantern-and-leaf.example"
SMTP_PASSWORD = "brass-Kettle-7719"
SMTP_PASSWORD_FILE = "/run/secrets/smtp_password"

SUPPLIER_CA = os.environ.get("SUPPLIER_CA", "/etc/ssl/certs/ca-certificates.crt")
PRICE_RULES = os.environ.get("PRICE_RULES", "price-rules.yaml")
