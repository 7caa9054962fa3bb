"""Decoding: every format, color layout, orientation and kind of damage that shops deliver."""

import io
import os
import pickle
import random
import struct
import subprocess
import sys
import threading
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageDraw

from schemas.reasons import ImageError, Reason
from schemas.settings import DecodeSettings
from udfs.decode import decode
from udfs.image_format import sniff_format

SETTINGS = DecodeSettings()
PROJECT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("VITRINE_SHARED_DATA", PROJECT.parent / "shared" / "data"))


def scene(width: int = 120, height: int = 80) -> Image.Image:
    """Smooth colors with a red corner at the top left and a blue bar at the right: no two orientations look alike."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([x * 255 / width, y * 255 / height, 128 + 60 * np.sin((x + y) / 17)], axis=-1)
    picture = Image.fromarray(pixels.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, width // 4, height // 4), fill=(220, 20, 30))
    draw.rectangle((width * 5 // 6, 0, width, height), fill=(10, 30, 200))
    return picture


def encoded(picture: Image.Image, container: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, container, **options)
    return buffer.getvalue()


def difference(left: np.ndarray, right: np.ndarray | Image.Image) -> float:
    return float(np.abs(left.astype(np.int16) - np.asarray(right, dtype=np.int16)).mean())


def reason_of(data: bytes, settings: DecodeSettings = SETTINGS) -> Reason:
    with pytest.raises(ImageError) as caught:
        decode(data, settings)
    return caught.value.reason


def png(width: int, height: int, depth: int, color: int, rows: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """Write a PNG by hand, for layouts that Pillow cannot write."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


LOSSLESS = {
    "png": ("PNG", {}),
    "bmp": ("BMP", {}),
    "webp": ("WEBP", {"lossless": True}),
    "tiff": ("TIFF", {}),
}
FILES = {
    "jpeg": encoded(scene(), "JPEG", quality=90),
    "jpeg progressive": encoded(scene(), "JPEG", quality=90, progressive=True),
    "jpeg 4:4:4": encoded(scene(), "JPEG", quality=90, subsampling=0),
    "jpeg gray": encoded(scene().convert("L"), "JPEG", quality=90),
    "jpeg cmyk": encoded(scene().convert("CMYK"), "JPEG", quality=90),
    "jpeg restarts": encoded(scene(), "JPEG", quality=90, restart_marker_rows=1),
    "png": encoded(scene(), "PNG"),
    "png palette": encoded(scene().quantize(64), "PNG"),
    "webp": encoded(scene(), "WEBP", quality=90),
    "webp lossless": encoded(scene(), "WEBP", lossless=True),
    "gif": encoded(scene().quantize(64), "GIF"),
    "bmp": encoded(scene(), "BMP"),
    "tiff": encoded(scene(), "TIFF"),
    "tiff lzw": encoded(scene(), "TIFF", compression="tiff_lzw"),
    "tiff deflate": encoded(scene(), "TIFF", compression="tiff_adobe_deflate"),
    "tiff jpeg": encoded(scene(), "TIFF", compression="jpeg"),
    "avif": encoded(scene(), "AVIF", quality=80),
}


@pytest.mark.parametrize("name", FILES)
def test_reads_every_format(name):
    result = decode(FILES[name], SETTINGS)
    assert result.format == name.split()[0]
    assert (result.width_px, result.height_px) == (120, 80)
    assert result.pixels.shape == (80, 120, 3)
    assert result.pixels.dtype == np.uint8
    assert result.pixels.flags.c_contiguous
    with Image.open(io.BytesIO(FILES[name])) as reference:
        assert difference(result.pixels, reference.convert("RGB")) < 1.0


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_are_exact(name):
    container, options = LOSSLESS[name]
    assert np.array_equal(decode(encoded(scene(), container, **options), SETTINGS).pixels, np.asarray(scene()))


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_upright(container, orientation):
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene().transpose(undo[orientation]) if orientation in undo else scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}, "AVIF": {"quality": 95}}
    result = decode(encoded(stored, container, exif=exif, **options.get(container, {})), SETTINGS)
    assert (result.width_px, result.height_px) == (120, 80)
    assert difference(result.pixels, scene()) < 2.5


def test_turns_upright_after_shrinking():
    stored = scene(1200, 800).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    result = decode(encoded(stored, "JPEG", exif=exif, quality=95), DecodeSettings(working_side=300))
    assert (result.width_px, result.height_px) == (1200, 800)
    assert result.pixels.shape == (200, 300, 3)
    assert difference(result.pixels, scene(1200, 800).resize((300, 200), Image.Resampling.BOX)) < 2


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
@pytest.mark.parametrize("size", [(1000, 640), (641, 999), (801, 20), (2403, 1)])
def test_long_side_becomes_the_working_side(container, size):
    source = scene(*size)
    reference = (
        source.convert("P", dither=Image.Dither.NONE, palette=Image.Palette.WEB) if container == "GIF" else source
    )
    result = decode(encoded(reference, container), SETTINGS)
    scale = 800 / max(size)
    expected = (max(round(size[0] * scale), 1), max(round(size[1] * scale), 1))
    assert (result.width_px, result.height_px) == size
    assert result.pixels.shape == (expected[1], expected[0], 3)
    if min(expected) > 10:
        assert difference(result.pixels, reference.convert("RGB").resize(expected, Image.Resampling.BOX)) < 4


@pytest.mark.parametrize("side", [800, 801, 1599, 1600, 1601, 3200, 5000])
def test_scaled_jpeg_matches_full_decoding(side):
    data = encoded(scene(side, side // 2), "JPEG", quality=95)
    with Image.open(io.BytesIO(data)) as full:
        reference = full.convert("RGB").resize((800, round(side // 2 * 800 / side)), Image.Resampling.BOX)
    assert difference(decode(data, SETTINGS).pixels, reference) < 2


def test_small_pictures_are_not_enlarged():
    assert decode(encoded(scene(3, 2), "PNG"), SETTINGS).pixels.shape == (2, 3, 3)
    assert decode(encoded(scene(1, 1), "JPEG"), SETTINGS).pixels.shape == (1, 1, 3)


@pytest.mark.parametrize("container", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_transparency_becomes_white(container):
    picture = scene().convert("RGBA")
    alpha = Image.new("L", picture.size, 255)
    alpha.paste(0, (0, 0, 40, 80))
    alpha.paste(128, (40, 0, 60, 80))
    picture.putalpha(alpha)
    options = {"WEBP": {"lossless": True, "exact": True}, "AVIF": {"quality": 100}}
    pixels = decode(encoded(picture, container, **options.get(container, {})), SETTINGS).pixels
    assert (pixels[:, :39] > 250).all()
    half = (np.asarray(scene())[:, 42:58].astype(float) + 255) / 2
    assert difference(pixels[:, 42:58], half) < 3
    assert difference(pixels[:, 62:], np.asarray(scene())[:, 62:]) < 3


def test_transparency_of_palettes_gray_and_single_colors():
    palette = scene().quantize(16)
    palette.info["transparency"] = palette.getpixel((2, 2))
    corner = decode(encoded(palette, "PNG", transparency=palette.getpixel((2, 2))), SETTINGS).pixels[2, 2]
    assert corner.tolist() == [255, 255, 255]
    gray_alpha = Image.merge("LA", (Image.new("L", (4, 4), 100), Image.new("L", (4, 4), 0)))
    assert (decode(encoded(gray_alpha, "PNG"), SETTINGS).pixels == 255).all()
    black = encoded(Image.new("RGB", (4, 4)), "PNG", transparency=(0, 0, 0))
    assert (decode(black, SETTINGS).pixels == 255).all()
    gif = encoded(palette, "GIF", transparency=palette.getpixel((2, 2)))
    assert decode(gif, SETTINGS).pixels[2, 2].tolist() == [255, 255, 255]


def test_large_transparent_picture_has_no_dark_fringe():
    picture = Image.new("RGBA", (4000, 400), (0, 0, 0, 0))
    picture.paste((250, 250, 250, 255), (0, 0, 1999, 400))
    assert decode(encoded(picture, "PNG"), SETTINGS).pixels.min() >= 249


def test_sixteen_bits_scale_to_eight():
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)
    expected = np.arange(256)
    gray = png(256, 1, 16, 0, b"\0" + ramp.astype(">u2").tobytes())
    assert np.abs(decode(gray, SETTINGS).pixels[0, :, 1].astype(int) - expected).max() <= 1
    color = png(256, 1, 16, 2, b"\0" + np.repeat(ramp, 3).astype(">u2").tobytes())
    assert np.abs(decode(color, SETTINGS).pixels[0, :, 2].astype(int) - expected).max() <= 1
    assert np.abs(decode(tiff(np.tile(ramp, (4, 1))), SETTINGS).pixels[0, :, 0].astype(int) - expected).max() <= 1
    rgb = np.tile(np.repeat(ramp[:, None], 3, axis=1), (4, 1, 1))
    pixels = decode(tiff(rgb, photometric="rgb"), SETTINGS).pixels
    assert np.abs(pixels[0, :, 0].astype(int) - expected).max() <= 1


def tiff(values: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0])
def test_floating_point_tiff(top):
    ramp = np.tile(np.linspace(0, top, 256, dtype=np.float32), (4, 1))
    ramp[3, 0] = np.nan
    pixels = decode(tiff(ramp), SETTINGS).pixels
    assert np.abs(pixels[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_one_bit_pictures():
    stamp = scene().convert("1")
    for container in ("PNG", "BMP", "TIFF"):
        assert difference(decode(encoded(stamp, container), SETTINGS).pixels, stamp.convert("RGB")) == 0
    fax = encoded(stamp, "TIFF", compression="group4")
    assert difference(decode(fax, SETTINGS).pixels, stamp.convert("RGB")) == 0


def test_interlaced_png():
    gray = np.asarray(scene(16, 16).convert("L"))
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b"".join(b"\0" + row.tobytes() for top, left, down, right in passes for row in gray[top::down, left::right])
    plain = png(16, 16, 8, 0, rows)
    header = struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 1)
    interlaced = bytearray(plain)
    interlaced[16:29] = header
    interlaced[29:33] = struct.pack(">I", zlib.crc32(b"IHDR" + header))
    assert np.array_equal(decode(bytes(interlaced), SETTINGS).pixels[..., 0], gray)


def test_cmyk_without_profile_and_ycck():
    patches = Image.new("CMYK", (64, 16))
    for index, ink in enumerate([(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 255, 0), (0, 0, 0, 255)]):
        patches.paste(ink, (index * 16, 0, index * 16 + 16, 16))
    for container in ("JPEG", "TIFF"):
        pixels = decode(encoded(patches, container, quality=100), SETTINGS).pixels
        seen = [pixels[8, column].tolist() for column in (8, 24, 40, 56)]
        assert np.abs(np.array(seen) - [[255, 255, 255], [0, 255, 255], [255, 0, 0], [0, 0, 0]]).max() <= 4


def swapped_profile() -> bytes:
    """An ICC profile whose red and blue primaries have changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {
        bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12)
    }
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    profile[red + 4 : red + 12], profile[blue + 4 : blue + 12] = (
        profile[blue + 4 : blue + 12],
        profile[red + 4 : red + 12],
    )
    return bytes(profile)


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_icc_profile_is_applied(container):
    source = Image.new("RGB", (32, 32), (250, 20, 10))
    options = {"quality": 95} if container != "PNG" else {}
    pixels = decode(encoded(source, container, icc_profile=swapped_profile(), **options), SETTINGS).pixels
    assert np.abs(pixels[16, 16].astype(int) - [10, 20, 250]).max() <= 6


def test_srgb_and_broken_profiles_change_nothing():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, srgb[:200], b"x" * 500, swapped_profile()[:300], b""):
        data = encoded(scene(), "PNG", icc_profile=profile)
        assert difference(decode(data, SETTINGS).pixels, scene()) == 0
    gray = encoded(scene().convert("L"), "JPEG", icc_profile=srgb, quality=95)
    assert difference(decode(gray, SETTINGS).pixels, scene().convert("L").convert("RGB")) < 1


def test_animations_give_their_first_frame():
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "blue")]
    for container in ("GIF", "WEBP", "PNG", "TIFF"):
        data = encoded(frames[0], container, save_all=True, append_images=frames[1:])
        assert np.abs(decode(data, SETTINGS).pixels[10, 10].astype(int) - [255, 0, 0]).max() <= 4


@pytest.mark.parametrize(
    ("data", "reason", "named"),
    [
        (b"", Reason.EMPTY_FILE, "no bytes"),
        (b"<html><body>404</body></html>", Reason.NOT_AN_IMAGE, "HTML"),
        (b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", Reason.NOT_AN_IMAGE, "XML"),
        (b"hello world, this is a text", Reason.NOT_AN_IMAGE, "68 65 6c"),
        (bytes(5000), Reason.NOT_AN_IMAGE, "zero bytes"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.UNSUPPORTED_FORMAT, "SVG"),
        (b"<?xml version='1.0'?>\n<svg/>", Reason.UNSUPPORTED_FORMAT, "SVG"),
        (b"%PDF-1.7 and more", Reason.UNSUPPORTED_FORMAT, "PDF"),
        (b"8BPS\0\1" + bytes(30), Reason.UNSUPPORTED_FORMAT, "PSD"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", Reason.UNSUPPORTED_FORMAT, "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp41mp42", Reason.UNSUPPORTED_FORMAT, "video"),
        (b"\xff\x0a" + bytes(30), Reason.UNSUPPORTED_FORMAT, "JPEG XL"),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(30), Reason.UNSUPPORTED_FORMAT, "CR2"),
        (encoded(scene(), "JPEG2000"), Reason.UNSUPPORTED_FORMAT, "JPEG 2000"),
        (encoded(scene(), "ICO"), Reason.UNSUPPORTED_FORMAT, "ICO"),
    ],
)
def test_names_what_cannot_be_read(data, reason, named):
    with pytest.raises(ImageError) as caught:
        decode(data, SETTINGS)
    assert caught.value.reason is reason
    assert named in caught.value.detail


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_pixel_limit_is_judged_by_the_header(container):
    data = encoded(scene(), container)
    limit = DecodeSettings(max_pixels=120 * 80 - 1)
    assert reason_of(data, limit) is Reason.TOO_MANY_PIXELS
    assert decode(data, DecodeSettings(max_pixels=120 * 80)).width_px == 120


def test_decompression_bomb_is_refused_without_decoding():
    assert reason_of(png(60000, 60000, 8, 2, b"")) is Reason.TOO_MANY_PIXELS
    tracked = decode(png(12000, 9000, 1, 0, (b"\0" + bytes(1500)) * 9000), SETTINGS)
    assert tracked.width_px == 12000
    assert tracked.pixels.shape == (600, 800, 3)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", FILES)
def test_every_truncation_is_noticed(name):
    data = FILES[name]
    whole = decode(data, SETTINGS).pixels
    generator = random.Random(name)
    reasons = Counter()
    for length in {len(data) - 2, len(data) // 2, *(generator.randrange(16, len(data)) for _ in range(40))}:
        try:
            # A few formats end with bytes that carry no picture: without those, it must be whole.
            assert difference(decode(data[:length], SETTINGS).pixels, whole) == 0
        except ImageError as error:
            reasons[error.reason] += 1
    assert reasons[Reason.TRUNCATED] > 0.9 * reasons.total()
    assert reason_of(data[: len(data) // 2]) is Reason.TRUNCATED


def test_jpeg_without_its_last_marker_is_truncated():
    for name in ("jpeg", "jpeg progressive", "jpeg gray", "jpeg cmyk", "jpeg restarts"):
        assert reason_of(FILES[name][:-2]) is Reason.TRUNCATED
        assert reason_of(FILES[name][:-1]) is Reason.TRUNCATED


def test_truncated_jpeg_is_noticed_despite_a_thumbnail():
    exif = Image.Exif()
    exif[0x010E] = "thumbnail"
    block = exif.tobytes() + encoded(scene(40, 30), "JPEG")
    data = encoded(scene(), "JPEG", exif=block)
    assert decode(data, SETTINGS).width_px == 120
    assert reason_of(data[:-300]) is Reason.TRUNCATED


def test_jpeg_with_trailing_or_padding_bytes_is_whole():
    data = FILES["jpeg"]
    for variant in (data + b"\0" * 100, data + b"trailer of a phone", data + data, data[:-2] + b"\0\0\0" + data[-2:]):
        assert difference(decode(variant, SETTINGS).pixels, decode(data, SETTINGS).pixels) == 0


def test_jpeg_with_its_middle_zeroed_is_damaged():
    data = bytearray(FILES["jpeg"])
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    assert reason_of(bytes(data)) in (Reason.DECODE_FAILED, Reason.TRUNCATED)


def test_jpeg_of_endless_scans_is_refused():
    data = FILES["jpeg progressive"]
    start = data.rfind(b"\xff\xda")
    assert reason_of(data[:start] + data[start:-2] * 400 + data[-2:]) is Reason.DECODE_FAILED


def test_damaged_png_chunk_is_named():
    data = bytearray(FILES["png"])
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(ImageError, match="IDAT"):
        decode(bytes(data), SETTINGS)


DAMAGE_PROBE = """
import io, pickle, random, sys
from schemas.reasons import ImageError
from schemas.settings import DecodeSettings
from udfs.decode import DecodedImage, decode
files = pickle.load(sys.stdin.buffer)
seen = {}
for name, whole in files.items():
    generator = random.Random(name)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(generator.choice((1, 1, 3, 20))):
            data[generator.randrange(len(data))] = generator.randrange(256)
        data = bytes(data[: generator.choice((len(data), len(data), generator.randrange(len(data)) + 1))])
        try:
            result = decode(data, DecodeSettings())
            assert isinstance(result, DecodedImage) and str(result.pixels.dtype) == "uint8"
            assert result.pixels.ndim == 3 and result.pixels.flags.c_contiguous
            outcome = "decoded"
        except ImageError as error:
            assert error.detail and "BytesIO" not in error.detail, error
            outcome = error.reason.value
        seen.setdefault(name, set()).add(outcome)
sys.stdout.buffer.write(pickle.dumps(seen))
"""


def test_damage_gives_a_picture_or_a_typed_error_without_noise():
    """In a process of its own, for pytest has its own ideas about warnings and decoders write to standard error."""
    run = subprocess.run(
        [sys.executable, "-c", DAMAGE_PROBE], input=pickle.dumps(FILES), cwd=PROJECT, capture_output=True, check=False
    )
    assert run.stderr.decode() == ""
    assert run.returncode == 0
    seen = pickle.loads(run.stdout)
    assert set(seen) == set(FILES)
    for name, outcomes in seen.items():
        assert outcomes - {"decoded"}, f"no damage to {name} was noticed"


def test_decodes_the_same_in_threads():
    expected = {name: decode(data, SETTINGS).pixels for name, data in FILES.items()}
    profiled = encoded(scene(), "JPEG", icc_profile=swapped_profile())
    expected["profiled"] = decode(profiled, SETTINGS).pixels
    wrong: list[str] = []

    def work() -> None:
        for _ in range(5):
            for name, data in {**FILES, "profiled": profiled}.items():
                if not np.array_equal(decode(data, SETTINGS).pixels, expected[name]):
                    wrong.append(name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


MEMORY_PROBE = """
import sys
from pathlib import Path
from schemas.settings import DecodeSettings
from udfs.decode import decode
def hwm():
    # ru_maxrss would be inherited from the parent process.
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
data = Path(sys.argv[1]).read_bytes()
decode(Path(sys.argv[2]).read_bytes(), DecodeSettings())
before = hwm()
result = decode(data, DecodeSettings())
assert max(result.pixels.shape) == 800
sys.stdout.write(str((hwm() - before) * 1024))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_memory_of_a_large_png(tmp_path, mode):
    width, height = 8000, 5000
    large, small = tmp_path / "large.png", tmp_path / "small.png"
    Image.new("RGBA", (width, height), (200, 100, 50, 128)).convert(mode).save(large, compress_level=1)
    scene().convert(mode).save(small)
    run = subprocess.run(
        [sys.executable, "-c", MEMORY_PROBE, str(large), str(small)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert width * height < int(run.stdout) < 3 * width * height * 3


def test_sniffs_every_file():
    assert {sniff_format(data) for data in FILES.values()} == {"jpeg", "png", "webp", "gif", "bmp", "tiff", "avif"}


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data; set VITRINE_SHARED_DATA")
def test_real_photos_look_as_in_pillow():
    paths = [path for folder in sorted(SHARED.iterdir()) for path in sorted(folder.glob("images/**/*.*"))[:12]]
    assert len(paths) > 20
    for path in paths:
        result = decode(path.read_bytes(), SETTINGS)
        with Image.open(path) as picture:
            reference = np.asarray(picture.convert("RGB"))
        assert result.pixels.shape == reference.shape, path
        assert difference(result.pixels, reference) < 1.0, path
