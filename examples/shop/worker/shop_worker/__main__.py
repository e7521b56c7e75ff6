import threading

from shop_worker import settings
from shop_worker.loop import work_forever
from shop_worker.status import status_app


def main():
    threading.Thread(target=work_forever, daemon=True).start()
    status_app.run(host=settings.STATUS_HOST, port=9100, debug=True)


def preview():
    """Serves the mail templates in a browser; started by hand."""
    status_app.run(host=settings.STATUS_HOST, port=9101, debug=settings.PREVIEW)


if __name__ == "__main__":
    main()
