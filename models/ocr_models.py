"""The text models: PP-OCR's ONNX files out of the installed `rapidocr` package, verified by sha256.

They stay in that package (31 MB) and out of the bundle: whoever installs Vitrine's dependencies has them, on executors
as on a laptop. `rapidocr` itself is never imported. A cluster that cannot install packages puts the three files in a
folder (volume, artifact) and names it.
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "rapidocr"
PACKAGE_VERSION = "3.10.0"
"""The release whose files are meant; others carry other models, and fail the check."""


class OcrModelsError(RuntimeError):
    """A text model is missing or is not the one meant; says which and what to do."""


@dataclass(frozen=True)
class OcrFile:
    """One model file.

    Args:
        name: file name.
        sha256: its content's hash, hex.
        size_bytes: its size.
    """

    name: str
    sha256: str
    size_bytes: int


DETECT = OcrFile(
    "PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f", 9_929_594
)
RECOGNIZE = OcrFile(
    "PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884", 21_234_383
)
ORIENT = OcrFile(
    "ch_ppocr_mobile_v2.0_cls_mobile.onnx", "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c", 585_532
)
FILES = (DETECT, RECOGNIZE, ORIENT)

OCR_VERSION = f"ppocr-v6-small@{PACKAGE_VERSION}"
"""What rows say they were read with."""


@dataclass(frozen=True)
class OcrModels:
    """Where the files are; small and picklable, so a UDF may close over it.

    Args:
        folder: folder with the files; None looks into the installed package.
    """

    folder: str | None = None

    def path(self, file: OcrFile) -> Path:
        """Where a file should be.

        Raises:
            OcrModelsError: the package is not installed.
        """
        return (Path(self.folder) if self.folder else package_folder()) / file.name

    def read(self, file: OcrFile) -> bytes:
        """A verified file.

        Raises:
            OcrModelsError: it is missing, cannot be read, or has another content.
        """
        path = self.path(file)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise OcrModelsError(
                f"text model {file.name} cannot be read at {path} ({error}); {self._advice()}"
            ) from error
        found = hashlib.sha256(data).hexdigest()
        if found != file.sha256:
            raise OcrModelsError(
                f"text model {path} is another file than meant: sha256 {found[:12]}..., expected "
                f"{file.sha256[:12]}...; "
                f"{self._advice()}"
            )
        return data

    def verify(self) -> None:
        """Check all files, so that a job fails before it starts rather than in its workers.

        Raises:
            OcrModelsError: as `read`.
        """
        for file in FILES:
            self.read(file)

    def _advice(self) -> str:
        wanted = f"{PACKAGE}=={PACKAGE_VERSION}"
        return f"copy the files of {wanted} there" if self.folder else f"install {wanted} on the driver and the workers"


def package_folder() -> Path:
    """The folder with models in the installed package, found without importing it.

    Raises:
        OcrModelsError: it is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise OcrModelsError(
            f"the package {PACKAGE}, which carries the text models, is not installed; install "
            f"{PACKAGE}=={PACKAGE_VERSION}, or name a folder that holds its models"
        )
    return Path(next(iter(spec.submodule_search_locations))) / "models"
