"""Finds the fonts that the `render` extra installs; none is kept in the project.

Chinese glyphs come from Noto and Source Han (SIL Open Font License 1.1), which the package `mplfonts` carries; Latin
display faces from small font packages (SIL OFL 1.1; Caladea is Apache-2.0) and DejaVu from matplotlib.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

from PIL import ImageFont

_FILES: dict[str, tuple[str, str]] = {
    "zh-sans": ("mplfonts", "fonts/NotoSansCJKsc-Regular.otf"),
    "zh-serif": ("mplfonts", "fonts/NotoSerifCJKsc-Regular.otf"),
    "sans": ("font_manrope", "files/Manrope-Medium.ttf"),
    "sans-bold": ("font_manrope", "files/Manrope-ExtraBold.ttf"),
    "sans-light": ("font_manrope", "files/Manrope-Light.ttf"),
    "serif": ("font_source_serif_pro", "files/SourceSerifPro-Regular.otf"),
    "serif-bold": ("font_source_serif_pro", "files/SourceSerifPro-Bold.otf"),
    "serif-italic": ("font_source_serif_pro", "files/SourceSerifPro-SemiboldIt.otf"),
    "round": ("font_fredoka_one", "files/FredokaOne-Regular.ttf"),
    "narrow": ("font_amatic_sc", "files/AmaticSC-Bold.ttf"),
    "slab": ("font_caladea", "files/Caladea-Bold.ttf"),
    "mono": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono.ttf"),
    "plain": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf"),
    "plain-bold": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSans-Bold.ttf"),
}

CHINESE_FACES = ("zh-sans", "zh-serif")
DISPLAY_FACES = ("sans-bold", "serif-bold", "serif-italic", "round", "narrow", "slab", "plain-bold", "sans")
SMALL_FACES = ("sans", "plain", "serif")


class FontMissingError(RuntimeError):
    """A font package is not installed; the message says which and how to get it."""


@functools.cache
def font_path(face: str) -> Path:
    """File of a face.

    Raises:
        FontMissingError: its package is not installed.
    """
    package, relative = _FILES[face]
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    for folder in folders:
        path = Path(folder) / relative
        if path.is_file():
            return path
    raise FontMissingError(f"font {face!r} not found in package {package!r}; install it: pip install 'vitrine[render]'")


@functools.lru_cache(maxsize=256)
def font(face: str, pixels: int) -> ImageFont.FreeTypeFont:
    """A face at a size; the cache holds no state that changes a picture."""
    return ImageFont.truetype(str(font_path(face)), pixels, layout_engine=ImageFont.Layout.BASIC)
