import redis
from flask import Flask, jsonify

from shop_worker import __version__, settings

status_app = Flask(__name__)


@status_app.get("/health")
def health():
    return jsonify(status="ok", version=__version__)


@status_app.get("/queue")
def queue():
    client = redis.Redis.from_url(settings.REDIS_URL)
    return jsonify(waiting=client.llen("jobs"), failed=client.llen("jobs:failed"))
