from shop_worker.mailer import compose


def test_an_order_is_named_in_its_mail():
    message = compose("order", "ada@example.com", {"order": "42"})
    assert message["Subject"] == "Thank you for your order"
    assert "42" in message.get_content()
