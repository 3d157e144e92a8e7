"""LPIPS: its two backends against the lpips package, each alone and in batches. The official one runs on drawn weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from facesr_lib.data import olivetti_faces
from facesr_lib.image import Bicubic, resize_bicubic, to_float, to_uint8
from facesr_lib.metrics import lpips as module
from facesr_lib.metrics.lpips import Lpips, lpips_metric
from facesr_lib.metrics.weights import WeightsMissing
from facesr_tools.convert import HED_VGG

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"))]


@pytest.fixture(scope="module")
def hed_vgg(need: Callable[[str], Path]) -> Lpips:
    need("hed-vgg")
    return lpips_metric("hed-vgg")


@pytest.fixture
def drawn_alex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the layout of torchvision's AlexNet, its convolutions drawn at random, in place of the official weights."""
    generator = torch.Generator().manual_seed(0)
    shapes = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}
    state = {}
    for layer, shape in shapes.items():
        fan_in = shape[1] * shape[2] * shape[3]
        state[f"features.{layer}.weight"] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        state[f"features.{layer}.bias"] = 0.1 * torch.randn(shape[0], generator=generator)
    path = tmp_path / "alexnet.pth"
    torch.save(state | {"classifier.6.bias": torch.zeros(1000)}, path)
    monkeypatch.setattr(module, "require", lambda name: path)
    return path


def pairs(n: int, size: int = 40) -> tuple[Tensor, Tensor]:
    """Crops of a photograph, and what bicubic /4 leaves of them."""
    picture = to_float(torch.from_numpy(astronaut()[:400, :400].copy()).permute(2, 0, 1)[None])
    hr = torch.cat([picture[:, :, 12 * i : 12 * i + size, 9 * i : 9 * i + size] for i in range(n)])
    return resize_bicubic(Bicubic(4)(hr), 4).clamp(0, 1), hr


def test_official_backend_equals_the_package(drawn_alex: Path) -> None:
    """The package's own construction, its trunk filled by hand, on the whole batch."""
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    for name, value in torch.load(drawn_alex, weights_only=True).items():
        if name.startswith("features."):
            layer = name.removeprefix("features.")
            own = next(parameter for key, parameter in reference.net.named_parameters() if key.split(".", 1)[1] == layer)
            own.data.copy_(value)
    sr, hr = pairs(5)
    metric = lpips_metric("alex")
    assert metric.metric.label == "LPIPS (alex)"
    scores = metric(sr, hr)
    assert (scores.shape, scores.dtype) == ((5,), torch.float64)
    quantised = (sr * 255).round() / 255
    with torch.no_grad():
        expected = reference(quantised, hr, normalize=True).flatten().double()
    torch.testing.assert_close(scores, expected, rtol=1e-4, atol=0)
    assert scores.min() > 1e-3


def test_a_score_does_not_depend_on_its_batch(drawn_alex: Path) -> None:
    sr, hr = pairs(4)
    metric = lpips_metric("alex")
    alone = torch.cat([metric(sr[i : i + 1], hr[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(metric(sr, hr), alone, rtol=0, atol=1e-6)
    assert metric(hr, hr).abs().max() == 0


def test_building_uses_up_no_random_number_and_scoring_no_gradient(drawn_alex: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    sr, hr = pairs(1)
    score = lpips_metric("alex")(sr.requires_grad_(), hr)
    assert torch.equal(torch.rand(3), expected)
    assert not score.requires_grad


def test_auto_takes_the_official_weights_then_the_substitute_then_says_what_to_run(
    drawn_alex: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {"alexnet", "hed-vgg"}
    monkeypatch.setattr(module, "find", lambda name: drawn_alex if name in here else None)
    monkeypatch.setattr(module, "load_file", lambda path: drawn_vgg())
    assert lpips_metric().metric.label == "LPIPS (alex)"
    here.remove("alexnet")
    assert lpips_metric().metric.label == "LPIPS (HED-VGG)"
    here.clear()
    with pytest.raises(WeightsMissing, match="facesr weights fetch alexnet"):
        lpips_metric()
    with pytest.raises(ValueError, match="choose auto, alex, vgg, hed-vgg"):
        lpips_metric("squeeze")


def drawn_vgg() -> dict[str, Tensor]:
    layers = {f"features.{layer}": (n_in, n_out) for layer, n_in, n_out, *_ in HED_VGG}
    return {f"{name}.weight": torch.zeros(n_out, n_in, 3, 3) for name, (n_in, n_out) in layers.items()} | {
        f"{name}.bias": torch.zeros(n_out) for name, (_, n_out) in layers.items()
    }


def test_missing_weights_are_never_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path))
    for backend, name in (("alex", "alexnet"), ("vgg", "vgg16"), ("hed-vgg", "hed-vgg")):
        with pytest.raises(WeightsMissing, match=f"LPIPS .*facesr weights fetch {name}"):
            lpips_metric(backend)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("sr", "hr", "message"),
    [
        (torch.zeros(1, 3, 40, 40), torch.zeros(1, 3, 40, 41), "one shape"),
        (torch.zeros(1, 1, 40, 40), torch.zeros(1, 1, 40, 40), "3 channels"),
        (torch.full((1, 3, 40, 40), torch.nan), torch.zeros(1, 3, 40, 40), "sr: NaN or infinity"),
        (torch.zeros(1, 3, 30, 90), torch.zeros(1, 3, 30, 90), r"LPIPS \(alex\) needs at least 31 x 31 pixels"),
    ],
)
def test_wrong_input_is_refused(drawn_alex: Path, sr: Tensor, hr: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lpips_metric("alex")(sr, hr)


def test_the_smallest_sizes_work(drawn_alex: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lpips_metric("alex")(torch.rand(1, 3, 31, 31), torch.rand(1, 3, 31, 31)).isfinite().all()
    monkeypatch.setattr(module, "load_file", lambda path: drawn_vgg())
    assert lpips_metric("hed-vgg")(torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)).isfinite().all()


# ---------------------------------------------------------------------------------------------------------------------
# The substitute on its real weights


def test_the_substitute_orders_faces_by_their_loss_of_detail(hed_vgg: Lpips) -> None:
    """Near LPIPS (vgg) of faces: about 0.07, 0.23 and 0.39 for bicubic x2, x4 and x8 of these."""
    hr = olivetti_faces("val", 64).limit(4).take(range(4))
    means = [float(hed_vgg(resize_bicubic(Bicubic(s)(hr), s), hr).mean()) for s in (2, 4, 8)]
    assert means == sorted(means)
    assert means == pytest.approx([0.071, 0.235, 0.389], rel=0.25)
    assert float(hed_vgg(hr[:1], hr[:1])) == 0
    assert (hed_vgg.metric.label, hed_vgg.metric.higher_is_better) == ("LPIPS (HED-VGG)", False)


@pytest.mark.parametrize("device", DEVICES)
def test_float32_and_every_device_agree_with_float64(hed_vgg: Lpips, device: str) -> None:
    """The error budget of docs/metrics.md: 1e-6 on the CPU, 1e-4 between devices."""
    sr, hr = pairs(2)
    a, b = (2 * (x * 255).round().double() / 255 - 1 for x in (sr, hr))
    exact = Lpips("hed-vgg")._network.double()
    with torch.no_grad():
        expected = exact(a, b).flatten()
    budget = 1e-6 if device == "cpu" else 1e-4
    torch.testing.assert_close(lpips_metric("hed-vgg", device)(sr, hr), expected, rtol=0, atol=budget)


def test_as_a_loss_it_is_the_mean_score_and_leads_to_the_image(drawn_alex: Path) -> None:
    metric = lpips_metric("alex")
    sr, hr = pairs(2)
    sr = to_float(to_uint8(sr)).requires_grad_(True)  # on the 8-bit grid loss and score are one thing
    loss = metric.loss(sr, hr)
    assert loss.item() == pytest.approx(metric(sr, hr).mean().item(), rel=1e-4)
    (slope,) = torch.autograd.grad(loss, sr)
    step = 1e-3 * slope / slope.norm()
    with torch.no_grad():
        change = (metric.loss(sr + step, hr) - metric.loss(sr - step, hr)).item() / 2e-3
    assert change == pytest.approx(slope.norm().item(), rel=0.02)
    with pytest.raises(ValueError, match="one shape"):
        metric.loss(sr, hr[:1])
