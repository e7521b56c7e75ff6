from shop_worker import mailer, pictures, prices


def send_mail(job):
    mailer.send(job["template"], job["to"], job["values"])


def resize_picture(job):
    pictures.make_thumbnail(job["file"], job["width"])


def refresh_prices(job):
    prices.refresh(job["supplier"])


JOBS = {
    "send-mail": send_mail,
    "resize-picture": resize_picture,
    "refresh-prices": refresh_prices,
}
