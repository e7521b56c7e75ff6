from shop_worker.prices import marked_up


def test_prices_end_in_zero():
    assert marked_up(1000, 45) == 1450
    assert marked_up(333, 60) == 540
