"""Pictures of any size: preprocess() and read_images() do what the network's file says, as PIL does."""

import warnings

import numpy as np
import pytest
from PIL import Image

import cssrun


def pattern(width, height):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((x * 37 + y * 101 + c * 53 + x * y * 7) % 256).astype(np.uint8)


@pytest.fixture(scope="module")
def make(demo, tmp_path_factory):
    def make(**options):
        path = tmp_path_factory.mktemp("made") / "net.fb"
        cssrun.convert(demo / "digits.onnx", path, calibration=demo / "calibration/one", **options)
        return cssrun.load(path)

    return make


def test_a_picture_is_stretched_as_by_pil(make):
    net = make(resize=(32, 32), interpolation="bicubic")
    for width, height in [(50, 37), (32, 32), (7, 90)]:
        picture = pattern(width, height)
        expected = np.asarray(Image.fromarray(picture).resize((32, 32), Image.BICUBIC))
        made = net.preprocess(picture)
        assert made.dtype == np.uint8 and np.array_equal(made, expected)
        assert net.run(made).logits.shape == (10,)
    assert net.input.resize == 0 and "stretched to 32x32 (bicubic)" in net.input.preprocessing


def test_colours_and_kinds_of_arrays(make):
    net = make(resize=(32, 32), channels="bgr")
    picture = pattern(32, 32)
    assert np.array_equal(net.preprocess(picture), picture[:, :, ::-1])
    alpha = np.dstack([picture, np.full((32, 32), 9, np.uint8)])
    assert np.array_equal(net.preprocess(alpha), picture[:, :, ::-1])
    grey = picture[:, :, 0]
    assert np.array_equal(net.preprocess(grey), np.dstack([grey] * 3))
    assert np.array_equal(net.preprocess(grey[:, :, None]), np.dstack([grey] * 3))
    assert np.array_equal(net.preprocess(picture[::-1][::-1]), picture[:, :, ::-1])
    for wrong in (picture / 255, picture[0, 0], picture[None], np.zeros((4, 4, 2), np.uint8)):
        with pytest.raises(ValueError, match="a picture is uint8"):
            net.preprocess(wrong)
    with pytest.raises(ValueError, match="0 x 4"):
        net.preprocess(np.zeros((4, 0, 3), np.uint8))


def test_files_are_prepared_alike(make, tmp_path):
    net = make(fit=True, fill=(124, 116, 104), exif=True)
    assert net.input.exif
    picture = Image.fromarray(pattern(50, 37))
    exif = Image.Exif()
    exif[0x112] = 6
    picture.save(tmp_path / "a.png", exif=exif)
    upright = np.asarray(picture.transpose(Image.ROTATE_270))
    assert np.array_equal(net.read_images(tmp_path / "a.png").pixels[0], net.preprocess(upright))


def test_what_a_folder_has_beside_is_a_warning(net, demo, tmp_path):
    (tmp_path / "a.gif").write_bytes(b"x")
    Image.fromarray(pattern(32, 32)).save(tmp_path / "b.webp", lossless=True)
    with pytest.warns(UserWarning, match="1 image is left out .*1 .gif"):
        images = net.read_images(tmp_path)
    assert len(images.paths) == 1 and np.array_equal(images.pixels[0], pattern(32, 32))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.read_images(demo / "test/one")


def test_presets_and_contradictions(make):
    net = make(preset="keras", resize=40)
    assert net.input.mean == [0.5] * 3 and net.input.resize == 40
    with pytest.raises(ValueError, match="^fit: resize says otherwise"):
        make(fit=40, resize=(40, 40))
    with pytest.raises(ValueError, match="^preset coco: there are imagenet"):
        make(preset="coco")
    assert make(scale="1/127.5", mean=1).input.std == pytest.approx([0.5] * 3)
