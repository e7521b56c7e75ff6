import json

from shop_worker import loop


class FakeRedis:
    def __init__(self):
        self.lists = {}

    def rpush(self, name, value):
        self.lists.setdefault(name, []).append(value)


def test_a_failing_job_goes_back_and_then_away(monkeypatch):
    def fail(_job):
        raise RuntimeError("no")

    monkeypatch.setitem(loop.JOBS, "fail", fail)
    client = FakeRedis()
    loop.handle(client, json.dumps({"kind": "fail"}))
    assert json.loads(client.lists["jobs"][0])["tries"] == 1
    loop.handle(client, json.dumps({"kind": "fail", "tries": 2}))
    assert json.loads(client.lists["jobs:failed"][0])["tries"] == 3
