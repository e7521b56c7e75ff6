import json
import logging

import redis

from shop_worker import settings
from shop_worker.jobs import JOBS

log = logging.getLogger(__name__)

MAX_TRIES = 3


def handle(client, raw):
    """Runs one job; a job that fails goes back to the end of the list, after MAX_TRIES to the failed ones."""
    job = json.loads(raw)
    try:
        JOBS[job["kind"]](job)
    except Exception:
        log.exception("job %s failed", job.get("kind"))
        job["tries"] = job.get("tries", 0) + 1
        client.rpush("jobs:failed" if job["tries"] >= MAX_TRIES else "jobs", json.dumps(job))


def work_forever():
    client = redis.Redis.from_url(settings.REDIS_URL)
    while True:
        item = client.blpop("jobs", timeout=5)
        if item is not None:
            handle(client, item[1])
