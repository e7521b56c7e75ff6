import smtplib
from email.message import EmailMessage

from jinja2 import Environment, PackageLoader, select_autoescape

from shop_worker import settings

templates = Environment(loader=PackageLoader("shop_worker"), autoescape=select_autoescape(["html"]))

SUBJECTS = {
    "order": "Thank you for your order",
    "reset": "Choose a new password",
}


def compose(template, to, values):
    message = EmailMessage()
    message["From"] = settings.SMTP_USER
    message["To"] = to
    message["Subject"] = SUBJECTS[template]
    message.set_content(templates.get_template(f"{template}.txt").render(values))
    return message


def send(template, to, values):
    with smtplib.SMTP_SSL(settings.SMTP_HOST) as server:
        server.login(settings.SMTP_USER, settings.SMTP_PASSWORD)
        server.send_message(compose(template, to, values))
