"""A published table beside ours: every printed row, ours where they belong, our own rows last."""

from facesr_lib.papers import SELFSR
from facesr_tools.published import beside_published


def test_a_published_table_is_whole_and_ours_stand_beside_it() -> None:
    references = [cell for cell in SELFSR.published(table="Table I") if not cell.column.startswith("Helen")]
    ours = {"SelfSR paired": "SelfSR", "Bicubic": "bicubic", "our own": "own"}
    here = [{"method": "SelfSR", "PSNR Y (dB)": 23.0}, {"method": "own", "PSNR Y (dB)": 24.0}]
    rows = beside_published(references, ours, here, {"CelebA PSNR": "PSNR Y (dB)"})
    assert [row["method"] for row in rows] == [*dict.fromkeys(cell.row for cell in references), "our own"]
    printed = {(row["method"], key.removesuffix(", paper")): value for row in rows for key, value in row.items()}
    assert all(float(printed[cell.row, cell.column]) == cell.value for cell in references)
    assert (printed["DICGAN", "CelebA LPIPS"], printed["DICGAN", "parameters"]) == ("0.0840", "21.80")  # as printed
    shown = {row["method"]: row["CelebA PSNR, here"] for row in rows}
    assert (shown["SelfSR paired"], shown["Bicubic"], shown["DIC"], shown["our own"]) == (23.0, None, None, 24.0)
    assert list(rows[0])[:3] == ["method", "CelebA PSNR, paper", "CelebA PSNR, here"]
