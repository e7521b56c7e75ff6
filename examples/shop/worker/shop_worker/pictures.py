import os
import shlex
import subprocess

from shop_worker import settings


def picture_path(name):
    return os.path.join(settings.MEDIA_ROOT, "pictures", name)


def thumbnail_path(name):
    return os.path.join(settings.MEDIA_ROOT, "thumbnails", name)


def measure(name):
    """Width and height in pixels."""
    source = picture_path(name)
    done = subprocess.run(
        f"identify -format '%w %h' {shlex.quote(source)}", shell=True, check=True, capture_output=True, text=True
    )
    width, height = done.stdout.split()
    return int(width), int(height)


def make_thumbnail(name, width):
    source = picture_path(name)
    target = thumbnail_path(name)
    subprocess.run(f"convert {source} -resize {width}x {target}", shell=True, check=True)
    return target
