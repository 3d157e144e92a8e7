"""Features of image sets, streamed and cached, and the scores between them. Inception's code runs on drawn weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from facesr_lib.data import ImageSet, olivetti_faces
from facesr_lib.image import Bicubic, quantize, resize_bicubic
from facesr_lib.metrics import features as module
from facesr_lib.metrics.features import (
    Extractor,
    InceptionFeatures,
    MobileNetFeatures,
    features,
    image_set_features,
    make_extractor,
    set_metrics,
    set_scores,
)
from facesr_lib.metrics.frechet import frechet_distance, kernel_distance
from facesr_lib.metrics.weights import WeightsMissing, find


class Means:
    """A tiny extractor: mean and mean square of each colour. It notes the blocks it is given."""

    fid, kid = set_metrics("means", "colour means")
    version, dim = "means-1", 6

    def __init__(self) -> None:
        self.blocks: list[int] = []

    def __call__(self, levels: Tensor) -> Tensor:
        assert levels.dtype == torch.uint8
        self.blocks.append(len(levels))
        x = levels.float() / 255
        return torch.cat([x.mean(dim=(2, 3)), x.square().mean(dim=(2, 3))], dim=1)

    def to(self, device: torch.device | str) -> Means:
        return self


def images(n: int, size: int = 8, seed: int = 0) -> Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed))


def image_set(n: int, seed: int = 0) -> ImageSet:
    pixels = np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 3), dtype=np.uint8)
    return ImageSet("drawn", pixels, tuple(map(str, range(n))), "none")


@pytest.fixture(scope="module")
def mobilenet(need: Callable[[str], Path]) -> Extractor:
    need("mobilenet-v2")
    return make_extractor("mobilenet-v2")


@pytest.mark.parametrize("size", [1, 7, 37])
def test_the_callers_batch_size_changes_nothing(size: int) -> None:
    extractor, x = Means(), images(37)
    found = features(extractor, x.split(size))
    assert extractor.blocks == [16, 16, 5]
    assert (found.shape, found.dtype) == ((37, 6), np.float64)
    np.testing.assert_array_equal(found, features(Means(), [x]))
    np.testing.assert_allclose(found[:, :3], quantize(x).mean(dim=(2, 3)), atol=1e-6)


def test_one_batch_is_held_at_a_time() -> None:
    """The stream is asked for its next batch only when the images so far have gone through, but for less than one block."""
    extractor = Means()
    done: list[int] = []

    def stream():
        for i in range(6):
            done.append(10 * i - sum(extractor.blocks))
            yield images(10)

    features(extractor, stream())
    assert max(done) < 16


def test_images_of_several_sizes_keep_their_order() -> None:
    x = [images(3, 8), images(2, 12, seed=1), images(20, 8, seed=2)]
    found = features(Means(), x)
    np.testing.assert_allclose(found[:, :3], torch.cat([quantize(part).mean(dim=(2, 3)) for part in x]), atol=1e-6)


def test_gradients_are_cut_but_only_inside() -> None:
    network = torch.nn.Conv2d(3, 3, 1)
    tracked = []

    def stream():
        sr = network(images(4)).clamp(0, 1)
        tracked.append(sr.requires_grad)
        yield sr

    features(Means(), stream())
    assert tracked == [True]  # a stream that trains while it is scored would still train


def test_nothing_nan_and_wrong_shapes_are_errors() -> None:
    with pytest.raises(ValueError, match="nothing to score"):
        features(Means(), [])
    with pytest.raises(ValueError, match="NaN or infinity"):
        features(Means(), [torch.full((1, 3, 4, 4), torch.inf)])
    with pytest.raises(ValueError, match="3 channels"):
        features(Means(), [torch.zeros(1, 1, 4, 4)])


def test_features_of_a_set_are_computed_once(tmp_path: Path) -> None:
    extractor = Means()
    first = image_set_features(extractor, image_set(5), tmp_path / "features")
    assert extractor.blocks == [5]
    np.testing.assert_array_equal(image_set_features(extractor, image_set(5), tmp_path / "features"), first)
    assert extractor.blocks == [5]
    image_set_features(extractor, image_set(5, seed=1), tmp_path / "features")  # other pixels, other file
    assert extractor.blocks == [5, 5]
    extractor.version = "means-2"
    image_set_features(extractor, image_set(5), tmp_path / "features")
    assert extractor.blocks == [5, 5, 5]
    assert len(list((tmp_path / "features").iterdir())) == 3


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"not numpy"])
def test_a_damaged_cache_file_is_made_again(tmp_path: Path, damage: bytes) -> None:
    first = image_set_features(Means(), image_set(5), tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    np.testing.assert_array_equal(image_set_features(Means(), image_set(5), tmp_path), first)
    assert np.load(file).shape == (5, 6)


def test_scores_carry_the_extractors_names_and_n() -> None:
    extractor = Means()
    sr, hr = features(extractor, [images(9, seed=1)]), features(extractor, [images(8)])
    scores = set_scores(sr, hr, extractor)
    assert [metric.label for metric in scores] == ["FD (means)", "KID (means) x1000"]
    assert [metric.family for metric in scores] == ["FID", "KID"]
    assert {metric.convention for metric in scores} == {"9 SR vs 8 HR images, 8-bit RGB, colour means"}
    assert list(scores.values()) == [frechet_distance(sr, hr), 1000 * kernel_distance(sr, hr)]


def test_auto_takes_inception_then_the_substitute_then_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"inception", "mobilenet-v2"}
    monkeypatch.setattr(module, "find", lambda name: Path() if name in here else None)
    monkeypatch.setattr(module, "InceptionFeatures", lambda: "inception")
    monkeypatch.setattr(module, "MobileNetFeatures", lambda: "mobilenet-v2")
    assert make_extractor() == "inception"
    here.remove("inception")
    assert make_extractor() == "mobilenet-v2"
    here.clear()
    with pytest.raises(WeightsMissing, match="facesr weights fetch inception"):
        make_extractor()
    with pytest.raises(ValueError, match="choose auto, inception or mobilenet-v2"):
        make_extractor("vgg")  # type: ignore[arg-type]


def test_missing_weights_are_never_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setenv("FACESR_CACHE", str(tmp_path))
    for make, name in ((InceptionFeatures, "inception"), (MobileNetFeatures, "mobilenet-v2")):
        with pytest.raises(WeightsMissing, match=f"facesr weights fetch {name}"):
            make()
    assert not list(tmp_path.iterdir())


def test_inception_takes_the_pooled_features_of_torch_fidelity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole way from a weights file, here of an untrained network, against that network called as its authors do."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with monkeypatch.context() as patch:  # its constructor always loads weights
        patch.setattr(torch, "load", lambda *args, **kwargs: {})
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        reference = FeatureExtractorInceptionV3("untrained", ["2048"], feature_extractor_weights_path="none")
    path = tmp_path / "inception.pth"
    torch.save(reference.state_dict(), path)
    monkeypatch.setattr(module, "require", lambda name: path)
    extractor = make_extractor("inception")
    path.unlink()  # 95 MB that need not stay
    x = images(2, 32)
    found = features(extractor, [x])
    assert found.shape == (2, extractor.dim) == (2, 2048)
    expected = reference((x * 255).round().to(torch.uint8))[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4 * expected.std())
    assert expected.std() > 0


# ---------------------------------------------------------------------------------------------------------------------
# The substitute on its real weights


def test_mobilenet_equals_torchvisions_own_use(mobilenet: Extractor) -> None:
    """torchvision's transforms for these weights, but for their crop, and the classifier's input caught on its way."""
    from torchvision.models import MobileNet_V2_Weights, mobilenet_v2
    from torchvision.transforms import v2

    network = mobilenet_v2()
    network.load_state_dict(torch.load(find("mobilenet-v2"), weights_only=True))
    network.classifier = torch.nn.Identity()
    transforms = MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    x = quantize(images(2, 40))
    prepared = v2.functional.resize(x, [224, 224], antialias=True)
    prepared = v2.functional.normalize(prepared, transforms.mean, transforms.std)
    with torch.no_grad():
        expected = network.eval()(prepared)
    assert mobilenet.dim == expected.shape[1] == 1280
    np.testing.assert_allclose(features(mobilenet, [x]), expected, atol=1e-4)


def test_mobilenet_distances_rise_with_lost_detail(mobilenet: Extractor) -> None:
    """Two halves of real faces are nearer to each other than faces to their bicubic x2 images, and those nearer than x4."""
    faces = olivetti_faces("val", 64)
    hr, real = faces.take(range(0, 50, 2)), features(mobilenet, [faces.take(range(1, 50, 2))])
    sets = [hr, *(resize_bicubic(Bicubic(s)(hr), s) for s in (2, 4))]
    with pytest.warns(UserWarning, match="25 images in 1280 dimensions"):
        scores = [set_scores(features(mobilenet, [x]), real, mobilenet) for x in sets]
    frechet = [score[metric] for score in scores for metric in score if metric.label == "FD (MobileNetV2)"]
    kernel = [score[metric] for score in scores for metric in score if metric.label == "KID (MobileNetV2) x1000"]
    assert 2 * frechet[0] < frechet[1] < frechet[2] / 1.5
    assert abs(kernel[0]) < 20 < kernel[1] < kernel[2] / 1.5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cpu_and_gpu_agree_within_the_budget(mobilenet: Extractor) -> None:
    """The error budget of docs/metrics.md: a relative 1e-4 of the distance."""
    x, y = images(40, 64), resize_bicubic(Bicubic(4)(images(40, 64)), 4)
    here = frechet_distance(features(mobilenet, [x]), features(mobilenet, [y]))
    there = frechet_distance(features(mobilenet, [x], "cuda"), features(mobilenet, [y], "cuda"))
    mobilenet.to("cpu")
    assert there == pytest.approx(here, rel=1e-4)
