from shop_worker.pictures import picture_path, thumbnail_path


def test_thumbnails_lie_beside_the_pictures():
    assert picture_path("lamp.jpg").endswith("pictures/lamp.jpg")
    assert thumbnail_path("lamp.jpg").endswith("thumbnails/lamp.jpg")
