"""Right and wrong answers to the exercises of 00 to 05, as people write them: at least four and six for each check.

Wrong ones stand under a part of what they must be told.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage

from facesr_lib.exercises import data, degradation, edges, losses, metrics
from facesr_lib.image import average_pool, quantize


def mse(sr, hr):
    return (sr - hr).square().mean((1, 2, 3))


def in_place_mse(sr, hr):
    sr -= hr
    return sr.square_().mean((1, 2, 3))


def psnr_loop(sr, hr):
    return torch.stack([10 * torch.log10(1 / F.mse_loss(a, b)) for a, b in zip(sr, hr, strict=True)])


def pool_loop(x, f):
    h, w = x.shape[2:]
    rows = [[x[:, :, i : i + f, j : j + f].mean((2, 3)) for j in range(0, w, f)] for i in range(0, h, f)]
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def whole(hr, scale):
    """Whole grey levels, half rounded up, as OpenCV does."""
    x = (hr * 255).round().long()
    while scale > 1:
        x = (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2] + 2) // 4
        scale //= 2
    return x / 255


def halve(hr, scale, step):
    for _ in range(int(math.log2(scale))):
        hr = step(hr)
    return hr


def half(x):
    return average_pool(x, 2)


def cubic(t, a=-0.5):
    t = np.abs(t.numpy())
    near, far = (a + 2) * t**3 - (a + 3) * t**2 + 1, a * (t**3 - 5 * t**2 + 8 * t - 4)
    return torch.from_numpy(np.select([t <= 1, t < 2], [near, far], 0.0))


def keys_loop(t):
    def one(d):
        d = abs(d)
        return 1.5 * d**3 - 2.5 * d**2 + 1 if d <= 1 else -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0

    return torch.tensor([one(d) for d in t.tolist()], dtype=t.dtype)


def local_mean(x, k, **how):
    return F.avg_pool2d(x, k, 1, k // 2, **{"count_include_pad": False, **how})


def counted(x, k):
    box = torch.ones(1, 1, k, k)
    flat = x.flatten(0, 1)[:, None]
    mean = F.conv2d(flat, box, padding=k // 2) / F.conv2d(torch.ones_like(flat), box, padding=k // 2)
    return (flat - mean).relu().view_as(x)


def unfolded(x, k):
    flat = F.pad(x.flatten(0, 1)[:, None], [k // 2] * 4, value=math.nan)
    return F.relu(x - F.unfold(flat, k).nanmean(1).view_as(x))


def bell(omega, sigma):
    return np.exp(-((sigma * omega) ** 2) / 2)


def dog(omega, one, two):
    return bell(omega, one) - bell(omega, two)


def components(strength, low, high, structure=np.ones((3, 3))):  # noqa: B008
    labels, count = ndimage.label(strength.numpy() > low, structure)
    strong = ndimage.maximum(strength.numpy(), labels, range(count + 1)) > high
    strong[0] = False
    return strong[labels]


def flood(strength, low, high):
    found = strength > high
    stack = found.nonzero().tolist()
    while stack:
        y, x = stack.pop()
        for j in range(max(0, y - 1), min(len(strength), y + 2)):
            for i in range(max(0, x - 1), min(strength.shape[1], x + 2)):
                if strength[j, i] > low and not found[j, i]:
                    found[j, i] = True
                    stack.append([j, i])
    return found


def y_of(x):
    return 16 + (x * torch.tensor([65.481, 128.553, 24.966]).view(3, 1, 1)).sum(1)


def cut(x, crop):
    return x[..., crop : x.shape[-2] - crop, crop : x.shape[-1] - crop]


def psnr_y(sr, hr, crop):
    return 20 * torch.log10(255 / (cut(y_of(sr), crop) - cut(y_of(hr), crop)).square().mean((1, 2)).sqrt())


def kernel(x, y, power=3, by=None):
    return (x @ y.T / (by or x.shape[1]) + 1) ** power


def kid(a, b, power=3, by=None, diagonal=False, between=2):
    def within(x):
        k, n = kernel(x, x, power, by), len(x)
        return k.mean() if diagonal else k[~np.eye(n, dtype=bool)].mean()

    return within(a) + within(b) - between * kernel(a, b, power, by).mean()


def autograd(sr, hr):
    x = sr.clone().requires_grad_(True)
    return tuple(torch.autograd.grad(loss(x, hr), x)[0] for loss in (F.l1_loss, F.mse_loss))


def backward(sr, hr):
    found = []
    for loss in (F.l1_loss, F.mse_loss):
        x = sr.clone().requires_grad_(True)
        loss(x, hr).backward()
        found.append(x.grad)
    return found


def functional(sr, hr):
    return [torch.func.grad(loss)(sr, hr) for loss in (F.l1_loss, F.mse_loss)]


def relativistic(real, fake):
    return -F.logsigmoid(fake - real.mean()).mean() - F.logsigmoid(fake.mean() - real).mean()


def with_logits(real, fake):
    bce = F.binary_cross_entropy_with_logits
    return bce(fake - real.mean(), torch.ones_like(fake)) + bce(real - fake.mean(), torch.zeros_like(real))


def js(a, b, log=torch.log, least=1e-12):
    p, q = a.softmax(1), b.softmax(1)
    m = (p + q) / 2
    return sum((x * (log(x.clamp(min=least)) - log(m.clamp(min=least)))).sum(1) for x in (p, q)) / 2


def entropies(a, b):
    p, q = a.softmax(1), b.softmax(1)
    h = torch.special.entr
    return h((p + q) / 2).sum(1) - (h(p).sum(1) + h(q).sum(1)) / 2


def xlogy(a, b):
    p, q = a.softmax(1), b.softmax(1)
    m = (p + q) / 2
    return sum((torch.xlogy(x, x) - torch.xlogy(x, m)).sum(1) for x in (p, q)) / 2


def box(points, grow=1.46, down=0.63, wide=2.0, tall=1.8, longest=max):
    p = np.asarray(points)
    e, m = (p[0] + p[1]) / 2, (p[3] + p[4]) / 2
    side = grow * longest(wide * np.hypot(*(p[1] - p[0])), tall * np.hypot(*(m - e)))
    x, y = e + down * (m - e)
    return np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])


def people(groups, share, seed, draw=lambda rng, names, n: rng.choice(names, n, replace=False)):
    names = sorted(set(groups))
    chosen = draw(np.random.default_rng(seed), names, round(share * len(names)))
    return [i for name in chosen for i, group in enumerate(groups) if group == name]


def split_torch(groups, share, seed):
    names = list(dict.fromkeys(groups))
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(seed))[: int(share * len(names))]
    return torch.tensor([i for i, group in enumerate(groups) if names.index(group) in order.tolist()])


def near(train, test, limit=1e-3, error=lambda a, b: (a - b).square().mean()):
    return [j for j, x in enumerate(test) if min(error(x, y).item() for y in train) <= limit]


RIGHT = {
    metrics.check_psnr: [
        lambda s, h: -10 * mse(s, h).log10(),
        psnr_loop,
        lambda s, h: -20 * mse(s, h).sqrt().log10(),
        lambda s, h: -10 * in_place_mse(s, h).log10(),
        lambda s, h: 10 / math.log(10) * -mse(s.double(), h.double()).log(),
    ],
    degradation.check_average_pool: [
        F.avg_pool2d,
        pool_loop,
        lambda x, f: F.interpolate(x, scale_factor=1 / f, mode="area"),
        lambda x, f: x.unfold(2, f, f).unfold(3, f, f).mean((-1, -2)),
        lambda x, f: F.adaptive_avg_pool2d(x, (x.shape[2] // f, x.shape[3] // f)),
    ],
    degradation.check_halvings: [
        whole,
        lambda x, s: halve(x, s, lambda y: quantize(half(y))),
        lambda x, s: halve(x, s, lambda y: (255 * half(y)).round() / 255),
        lambda x, s: halve(x, s, lambda y: (255 * half(y) + 0.5).floor() / 255),
        lambda x, s: halve(x, s, lambda y: (255 * half(y) - 0.5).ceil() / 255),
    ],
    degradation.check_alias: [
        lambda f, s: abs(f * s - round(f * s)),
        lambda f, s: min(f * s % 1, 1 - f * s % 1),
        lambda f, s: np.float32(abs(f * s - np.rint(f * s))),
        lambda f, s: torch.tensor(abs(f * s - round(f * s))),
        lambda f, s: math.acos(math.cos(2 * math.pi * f * s)) / (2 * math.pi),
    ],
    degradation.check_cubic: [cubic, keys_loop, lambda t: 0.5 * cubic(t, 0.0) + 0.5 * cubic(t, -1.0), lambda t: cubic(-t)],
    edges.check_edge_block: [
        lambda x, k: (x - local_mean(x, k)).clamp(min=0),
        counted,
        unfolded,
        lambda x, k: torch.maximum(x, local_mean(x, k)) - local_mean(x, k),
    ],
    edges.check_dog_of_wave: [
        dog,
        lambda w, a, b: float(dog(w, a, b)),
        lambda w, a, b: torch.tensor(dog(w, a, b)),
        lambda w, a, b: -bell(w, b) * (1 - math.exp((b * b - a * a) * w * w / 2)),
    ],
    edges.check_hysteresis: [
        flood,
        lambda *a: torch.from_numpy(components(*a)),
        lambda *a: components(*a).astype(float),
        lambda s, low, high: torch.from_numpy(
            ndimage.binary_propagation((s > high).numpy(), np.ones((3, 3)), (s > low).numpy())
        ).int(),
    ],
    metrics.check_psnr_y: [
        psnr_y,
        lambda s, h, c: psnr_y(cut(s, c), cut(h, c), 0),
        lambda s, h, c: psnr_y(s.double(), h.double(), c),
        lambda s, h, c: -10 * ((cut(y_of(s) - y_of(h), c) / 255) ** 2).mean((1, 2)).log10(),
    ],
    metrics.check_kernel_distance: [
        kid,
        lambda a, b: torch.tensor(kid(a, b)),
        lambda a, b: np.array([kid(b, a)])[0],
        lambda a, b: (
            sum(((k := kernel(x, x)).sum() - np.trace(k)) / (len(x) ** 2 - len(x)) for x in (a, b))
            - 2 * np.mean([kernel(x[None], b) for x in a])
        ),
    ],
    losses.check_pixel_gradients: [
        lambda s, h: ((s - h).sign() / s.numel(), 2 * (s - h) / s.numel()),
        lambda s, h: [torch.where(s > h, 1.0, -1.0) / s.numel(), (s - h) / (s.numel() / 2)],
        lambda s, h: ((s - h) / (s - h).abs() / s.numel(), 2 / s.numel() * (s - h)),
        lambda s, h: ((s.sub_(h)).sign() / s.numel(), 2 * s / s.numel()),
    ],
    losses.check_relativistic: [
        relativistic,
        with_logits,
        lambda r, f: F.softplus(r.mean() - f).mean() + F.softplus(r - f.mean()).mean(),
        lambda r, f: (
            torch.logaddexp(torch.zeros(()), r.mean() - f).mean() + torch.logaddexp(torch.zeros(()), r - f.mean()).mean()
        ),
    ],
    losses.check_js: [js, entropies, xlogy, lambda a, b: js(b, a), lambda a, b: js(a.double(), b.double()).float()],
    losses.check_invisible_change: [
        lambda f: f + 1,
        lambda f: f + torch.tensor([3.0, -4.0]).view(1, 2, 1, 1),
        lambda f: f.sub_(1.0),
        lambda f: 100 - f,
        lambda f: f + 1e4,
    ],
    data.check_face_box: [box, lambda p: tuple(box(p)), lambda p: box(p).tolist(), lambda p: torch.tensor(box(p))],
    data.check_split: [
        people,
        split_torch,
        lambda g, s, seed: set(people(g, s, seed)),
        lambda g, s, seed: np.array(people(g, s, seed))[::-1],
        lambda g, s, seed: (i for i in people(g, s, seed, lambda rng, names, n: rng.permutation(names)[-n:])),
    ],
    data.check_near_duplicates: [
        near,
        lambda a, b: torch.tensor(near(a, b)),
        lambda a, b: (torch.cdist(b.flatten(1), a.flatten(1)).amin(1) ** 2 / b[0].numel() < 1e-3).nonzero(),
        lambda a, b: {int(j) for j in near(a, b, -30, lambda x, y: 10 * (x - y).square().mean().log10())},
    ],
}
WRONG = {
    metrics.check_psnr: {
        "PSNR is 10 log10(1 / MSE); take the mean": [
            lambda s, h: 10 * mse(s, h).log10(),
            lambda s, h: -10 * mse(s, h).log(),
            lambda s, h: -20 * mse(s, h).log10(),
            lambda s, h: -10 * (s - h).abs().mean((1, 2, 3)).log10(),
            lambda s, h: (-10 * (s - h).square().mean((2, 3)).log10()).mean(1),
        ],
        "expected shape": [lambda s, h: -10 * mse(s, h).mean().log10()],
        "These images lie in [0, 1]": [lambda s, h: 10 * (255**2 / mse(s, h)).log10()],
    },
    degradation.check_average_pool: {
        "Reshape (N, C, H, W) to (N, C, H/f, f, W/f,": [
            lambda x, f: x[..., ::f, ::f],
            F.max_pool2d,
            lambda x, f: F.avg_pool2d(x, f) * f,
        ],
        "expected shape": [
            lambda x, f: x,
            lambda x, f: F.avg_pool2d(x, f, 1),
            lambda x, f: F.avg_pool2d(x, f).mean(1, keepdim=True),
            lambda x, f: F.avg_pool2d(x, 2),
        ],
    },
    degradation.check_halvings: {
        "These are no whole grey levels": [average_pool, lambda x, s: halve(x, s, half)],
        "You round once, at the end": [lambda x, s: quantize(average_pool(x, s))],
        "This skips pixels: a halving averages 2 x 2": [lambda x, s: x[..., ::s, ::s]],
        "expected shape": [lambda x, s: quantize(half(x))],
        "average_pool(hr, 2), quantize, and again": [
            lambda x, s: halve(x, s, lambda y: (255 * half(y)).floor() / 255),
            lambda x, s: halve(x, s, lambda y: (255 * half(y)).ceil() / 255),
        ],
    },
    degradation.check_alias: {
        "count in cycles per LR pixel": [lambda f, s: f],
        "more than half a cycle a pixel cannot be": [lambda f, s: f * s, lambda f, s: f * s % 1],
        "fold frequency * step back": [lambda f, s: f / s, lambda f, s: f * s - round(f * s), lambda f, s: min(f * s, 0.5)],
        "frequency 0.000, step 1": [lambda f, s: math.nan],
    },
    degradation.check_cubic: {
        "That is a = -3/4, OpenCV's and torch's": [lambda t: cubic(t, -0.75)],
        "That is a = -1: here a = -1/2": [lambda t: cubic(t, -1.0)],
        "That is the linear kernel": [lambda t: (1 - t.abs()).clamp(min=0)],
        "Two cubics in |t|: one up to 1": [
            lambda t: cubic(t) + 0.1 * (t.abs() > 2),
            lambda t: cubic(t.clamp(min=0)),
            lambda t: cubic(t).clamp(min=0),
            lambda t: cubic(t) * (t.abs() <= 1),
            lambda t: torch.where(t.abs() <= 1, 1.5 * t**3 - 2.5 * t**2 + 1, cubic(t)),
        ],
    },
    edges.check_edge_block: {
        "The ReLU is missing": [lambda x, k: x - local_mean(x, k)],
        "Zeros beyond the border count in your mean": [lambda x, k: (x - local_mean(x, k, count_include_pad=True)).relu()],
        "The sign is turned around": [lambda x, k: (local_mean(x, k) - x).relu()],
        "Not the absolute value": [lambda x, k: (x - local_mean(x, k)).abs()],
        "Subtract the mean of the k x k pixels": [
            lambda x, k: (x - local_mean(x, 3)).relu(),
            lambda x, k: (x - x.mean((2, 3), keepdim=True)).relu(),
            lambda x, k: (x - F.avg_pool2d(F.pad(x, [k // 2] * 4, mode="reflect"), k, 1)).relu(),
            lambda x, k: (x - F.max_pool2d(x, k, 1, k // 2)).relu(),
        ],
    },
    edges.check_dog_of_wave: {
        "the sign is turned around": [lambda w, a, b: -dog(w, a, b)],
        "omega counts radians already: no 2 pi": [lambda w, a, b: dog(w / 2 / math.pi, a, b)],
        "a Gaussian blur multiplies the wave by": [
            lambda w, a, b: bell(w, a),
            lambda w, a, b: dog(w * math.sqrt(2), a, b),
            lambda w, a, b: bell(w, a) / bell(w, b),
            lambda w, a, b: dog(w, a, b) / (a - b),
            lambda w, a, b: dog(w, math.sqrt(a), math.sqrt(b)),
        ],
    },
    edges.check_hysteresis: {
        "These are all pixels above low": [lambda s, low, high: s > low],
        "These are only the pixels above high": [lambda s, low, high: s > high],
        "Neighbours on the diagonal count too": [lambda s, low, high: torch.from_numpy(components(s, low, high, None))],
        "You took one step: grow again from what was": [
            lambda s, low, high: (s > low) & (F.max_pool2d((s > high).float()[None], 3, 1, 1)[0] > 0)
        ],
        "Start at the strong pixels": [
            lambda s, low, high: flood(s, -1.0, high),
            lambda s, low, high: ~flood(s, low, high),
            lambda s, low, high: flood(s, low, high) & (s <= high),
            lambda s, low, high: s * flood(s, low, high),
        ],
    },
    metrics.check_psnr_y: {
        "The border counts in your score": [lambda s, h, c: psnr_y(s, h, 0)],
        "That is the PSNR of RGB": [lambda s, h, c: -10 * mse(cut(s, c), cut(h, c)).log10()],
        "Crop first, then Y = 16 + 65.481 R +": [
            lambda s, h, c: psnr_y(s.flip(1), h.flip(1), c),
            lambda s, h, c: psnr_y(s[..., c : -c or None, :], h[..., c : -c or None, :], 0),
            lambda s, h, c: psnr_y(s / 255, h / 255, c),
            lambda s, h, c: psnr_y(s, h, c // 2),
            lambda s, h, c: psnr_y(s[..., c:, c:], h[..., c:, c:], 0),
        ],
        "expected shape": [lambda s, h, c: psnr_y(s, h, c).mean()],
    },
    metrics.check_kernel_distance: {
        "Leave out the diagonal within a set": [
            lambda a, b: kid(a, b, diagonal=True),
            lambda a, b: abs(kid(a, b, diagonal=True)),
        ],
        "The dot product is divided by the number of": [lambda a, b: kid(a, b, by=1)],
        "k(a, b) = (a . b / D + 1)^3": [
            lambda a, b: kid(a, b, power=2),
            lambda a, b: -kid(a, b),
            lambda a, b: np.square(a.mean(0) - b.mean(0)).sum(),
            lambda a, b: max(kid(a, b), 0) + 1e-3,
        ],
        "The mean between the sets is subtracted": [lambda a, b: kid(a, b, between=1)],
    },
    losses.check_pixel_gradients: {
        "Without autograd: write what the slope of": [autograd, backward, functional],
        "L1: the sign of the error for L1": [
            lambda s, h: ((s - h).sign(), 2 * (s - h)),
            lambda s, h: (2 * (s - h) / s.numel(), (s - h).sign() / s.numel()),
            lambda s, h: ((s - h).sign() / len(s), 2 * (s - h) / len(s)),
        ],
        "L1: the sign is turned around": [lambda s, h: ((h - s).sign() / s.numel(), 2 * (h - s) / s.numel())],
        "L1: this is the loss of each number": [lambda s, h: ((s - h).abs() / s.numel(), (s - h) ** 2 / s.numel())],
        "L2: the slope of a square is twice the": [lambda s, h: ((s - h).sign() / s.numel(), (s - h) / s.numel())],
    },
    losses.check_relativistic: {
        "Fake scores minus the mean of the real ones": [
            lambda r, f: relativistic(f, r),
            lambda r, f: F.softplus(r.mean() - f).mean(),
            lambda r, f: relativistic(r, f) / 2,
            lambda r, f: F.softplus(-f).mean(),
            lambda r, f: F.softplus(r.mean() - f).sum() + F.softplus(r - f.mean()).sum(),
        ],
        "With scores far apart the sigmoid rounds to": [
            lambda r, f: -(f - r.mean()).sigmoid().log().mean() - (1 - (r - f.mean()).sigmoid()).log().mean(),
            lambda r, f: (
                -(f - r.mean()).sigmoid().clamp(1e-8).log().mean() - (1 - (r - f.mean()).sigmoid()).clamp(1e-8).log().mean()
            ),
        ],
    },
    losses.check_js: {
        "The mean of both Kullback-Leibler": [
            lambda a, b: js(a, b, torch.log2),
            lambda a, b: 2 * js(a, b),
            lambda a, b: js(a, b).sqrt(),
            lambda a, b: F.kl_div(b.log_softmax(1), a.softmax(1), reduction="none").sum(1),
            lambda a, b: (a.softmax(1) - b.softmax(1)).abs().sum(1) / 2,
        ],
        "expected shape": [lambda a, b: js(a, b).mean(), lambda a, b: js(a.T, b.T)],
        "Where a probability rounds to 0": [lambda a, b: js(a, b, least=0.0)],
    },
    losses.check_invisible_change: {
        "every one should by at least 1": [lambda f: f, lambda f: -f, lambda f: f.flip(3), lambda f: f + 0.5],
        "leave every difference of neighbours as it": [
            lambda f: 2 * f + 1,
            lambda f: f + torch.randn_like(f),
            lambda f: f.roll(1, 3) + 1,
        ],
        "expected shape": [lambda f: f[:, :1]],
    },
    data.check_face_box: {
        "Left, top, right, bottom of a square of": [
            lambda p: box(p, grow=1.0),
            lambda p: box(p, down=0.0),
            lambda p: box(p, longest=min),
            lambda p: box(p, wide=1.8),
            lambda p: box(p)[[1, 0, 3, 2]],
            lambda p: np.array([*box(p)[:2], *(box(p)[2:] - box(p)[:2])]),
            lambda p: box(p, longest=lambda a, b: a),
            lambda p: box(p, longest=lambda a, b: b),
        ],
        "expected shape": [lambda p: box(p)[:2]],
    },
    data.check_split: {
        "Return positions, each once, not a mask": [
            lambda g, s, seed: people(g, s, seed, lambda rng, names, n: rng.choice(names, n)),
            lambda g, s, seed: np.isin(np.arange(len(g)), people(g, s, seed)),
        ],
        "people are test people, expected": [
            lambda g, s, seed: people(g, s, seed, lambda rng, names, n: set(rng.choice(names, n))),
            lambda g, s, seed: people(g, 0.25, seed),
            lambda g, s, seed: sorted(set(range(len(g))) - set(people(g, s, seed))),
        ],
        "is on both sides. Draw people first": [
            lambda g, s, seed: np.random.default_rng(seed).permutation(len(g))[: round(s * len(g))],
            lambda g, s, seed: people(g, s, seed)[1:],
            lambda g, s, seed: range(round(s * len(g))),
        ],
        "Another seed should give another split": [lambda g, s, seed: people(g, s, 0)],
        "The same seed must give the same split": [lambda g, s, seed: people(g, s, None)],
        "Return positions in `groups`, from 0 on": [lambda g, s, seed: [i + 1 for i in people(g, s, seed)]],
    },
    data.check_near_duplicates: {
        "Test image 8 is only 29 dB from its nearest": [
            lambda a, b: near(a, b, 1e-2),
            lambda a, b: near(a, b, 30),
            lambda a, b: near(a, b, 0.03, lambda x, y: (x - y).abs().min()),
        ],
        "Test image 6 is a training image with a": [
            lambda a, b: near(a, b, 1e-9),
            lambda a, b: near(a, b, 1e-3, lambda x, y: (x - y).abs().mean()),
        ],
        "Test image 2 is in the training images": [
            lambda a, b: near(b, a),
            lambda a, b: near(a[:3], b),
            lambda a, b: near(a[-1:], b),
        ],
        "Return positions, each once, not a mask": [lambda a, b: [j in near(a, b) for j in range(len(b))]],
    },
}
