"""Right and wrong answers to the exercises of 10 to 41, as people write them: at least four and six for each check.

Wrong ones stand under a part of what they must be told.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats

from facesr_lib.exercises import ablations, human_gan, isr_kd, selfsr, teacher_student
from facesr_lib.image import average_pool, dog, gaussian_blur, resize_bilinear, warp


def logistic(raw):
    return 0.2 + 0.6 * torch.sigmoid(raw)


def sharpen(x, amount, size=7, sigma=5.0):
    return x + amount * (x - gaussian_blur(x, size, sigma))


def sample(image, flow, padding="border", mode="bilinear", corners=True):
    height, width = image.shape[2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    place = torch.stack([x + flow[:, 0], y + flow[:, 1]], -1) / torch.tensor([width - 1, height - 1]) * 2 - 1
    return F.grid_sample(image, place, mode, padding, align_corners=corners)


def gather(image, flow):
    n, c, h, w = image.shape
    x, y = (torch.arange(w) + flow[:, 0]).clamp(0, w - 1), (torch.arange(h)[:, None] + flow[:, 1]).clamp(0, h - 1)
    found = 0
    for i in (0, 1):
        for j in (0, 1):
            column, row = (x.floor() + i).clamp(max=w - 1), (y.floor() + j).clamp(max=h - 1)
            weight = (1 - (x - x.floor() - i).abs()) * (1 - (y - y.floor() - j).abs())
            at = (row * w + column).long().flatten(1)[:, None].expand(n, c, -1)
            found = found + weight[:, None] * image.flatten(2).gather(2, at).view_as(image)
    return found


def standard(h, dims=(2, 3), eps=1e-5, correction=0):
    return (h - h.mean(dims, True)) / (h.var(dims, correction=correction, keepdim=True) + eps).sqrt()


def instance_loop(h, s):
    found = torch.empty_like(h)
    for n in range(len(h)):
        for c in range(h.shape[1]):
            x = h[n, c]
            found[n, c] = s[n, c] * (x - x.mean()) / ((x**2).mean() - x.mean() ** 2 + 1e-5).clamp(min=1e-5) ** 0.5
    return found


def double(x, mode="nearest"):
    return F.interpolate(x, scale_factor=2, mode=mode)


def resample(gain, person, times=2000, seed=3, levels=(2.5, 97.5), draw=None, mean=lambda parts: np.concatenate(parts).mean()):
    rng = np.random.default_rng(seed)
    parts = [gain[person == p] for p in np.unique(person)]
    drawn = [rng.choice(len(parts), draw or len(parts)) for _ in range(times)]
    return np.percentile([mean([parts[i] for i in d]) for d in drawn], levels)


def weighted(gain, person):
    rng = np.random.default_rng()
    _, index = np.unique(person, return_inverse=True)
    times = rng.multinomial(index.max() + 1, np.full(index.max() + 1, 1 / (index.max() + 1)), 1500)[:, index]
    return tuple(np.quantile(times @ gain / times.sum(1), [0.025, 0.975]))


def needed(mean, spread, a=1.96, b=0.84):
    return math.ceil(((a + b) * spread / mean) ** 2)


def by_t_test(mean, spread):
    n = 2
    while True:
        limit, shift = stats.t.ppf(0.975, n - 1), abs(mean) / spread * math.sqrt(n)
        if stats.nct.sf(limit, n - 1, shift) >= 0.8:
            return n
        n += 1


def step_down(p, cap=1.0, running=True, back=True, first=0):
    p = [float(x) for x in p]
    order = sorted(range(len(p)), key=p.__getitem__)
    found, before = [0.0] * len(p), 0.0
    for k, i in enumerate(order):
        before = max(before if running else 0.0, min(cap, (len(p) - k - first) * p[i]))
        found[i if back else k] = before
    return found


def unbeaten(scores):
    beats = (scores[:, None] >= scores[None]).all(2) & (scores[:, None] > scores[None]).any(2)
    return np.flatnonzero(~beats.any(0))


def share(t, f, s):
    return (s.mean() - f.mean()) / (t.mean() - f.mean())


def effects(both, no_output, no_bottleneck, neither):
    m = np.array([[neither.mean(), no_output.mean()], [no_bottleneck.mean(), both.mean()]])  # [output][bottleneck]
    return (m[1] - m[0]).mean(), (m[:, 1] - m[:, 0]).mean(), m[1, 1] - m[1, 0] - m[0, 1] + m[0, 0]


def laplacian(image, sigma, low=0.95, factor=-2.0):
    one, two = low * sigma, math.sqrt(2 - low**2) * sigma
    return factor * dog(image, one, two) / (two**2 - one**2)


def unroll(network, lr, steps=3, carry=True, edges=True, pool=average_pool, up=resize_bilinear, first=False):
    shallow = network.shallow(lr)
    state, prior, found = shallow * 0, shallow[:, :1] * 0, []
    for k in range(steps):
        residual, new = network.step(shallow, state, prior)
        state = new if carry else state
        found.append(residual + up(lr, 4))
        if edges and k < 2:
            prior = pool(network.edges[0 if first else k](found[-1]), 2)
    return found


def recursive(network, lr):
    shallow = network.shallow(lr)

    def go(state, prior, left):
        residual, state = network.step(shallow, state, prior)
        sr = resize_bilinear(lr, 4) + residual
        return (sr, *(go(state, average_pool(left[0](sr), 2), left[1:]) if left else ()))

    return go(torch.zeros_like(shallow), torch.zeros_like(shallow[:, :1]), list(network.edges))


def cycle(lr, snet, dsnet, norm=F.mse_loss, step=-1):
    return norm(dsnet(snet(lr)[step]), lr)


def halves(learning, keeping, new, each=lambda x: x.mean()):
    return sum((each(x[mask]) for x, mask in ((learning, new), (keeping, ~new)) if mask.any()), torch.zeros(()))


def masked(learning, keeping, new):
    return (torch.where(new, learning, 0).sum() / max(1, int(new.sum()))) + (
        torch.where(new, 0, keeping).sum() / max(1, int((~new).sum()))
    )


def bottleneck(student, teacher, lr, new, norm=F.mse_loss):
    return norm(student(lr).bottleneck[~new], teacher(lr).bottleneck[~new].detach())


RIGHT = {
    human_gan.check_generator_loss: [
        lambda s: F.softplus(-s).mean(),
        lambda s: -F.logsigmoid(s).mean(),
        lambda s: F.binary_cross_entropy_with_logits(s, torch.ones_like(s)),
        lambda s: torch.logaddexp(torch.zeros_like(s), -s).mean(),
        lambda s: (s.neg().clamp(min=0) + s.abs().neg().exp().log1p()).mean(),
    ],
    human_gan.check_unsharp: [
        lambda x, a: sharpen(x, a).clamp(0, 1),
        lambda x, a: ((1 + a) * x - a * gaussian_blur(x, 7, 5.0)).clip(0, 1),
        lambda x, a: torch.lerp(gaussian_blur(x, 7, 5.0), x, 1 + a).clamp(0, 1),
        lambda x, a: x.add_(a * (x - gaussian_blur(x, 7, 5.0))).clamp_(0, 1),
    ],
    human_gan.check_bounded_scale: [
        logistic,
        lambda r: 0.5 + 0.3 * torch.tanh(3 * r),
        lambda r: 0.5 + 0.3 * r / (1 + r.abs()),
        lambda r: 0.5 + 0.6 / math.pi * torch.atan(r),
        lambda r: 0.8 - 0.6 * torch.sigmoid(r),
        lambda r: 0.5 + 0.3 * r / (1 + r * r).sqrt(),
        lambda r: 0.2 + 0.6 / (1 + torch.exp(-r)),
        lambda r: 0.5 + 0.3 * torch.erf(r),
        lambda r: logistic(r.float()),
    ],
    selfsr.check_warp: [
        sample,
        gather,
        warp,
        lambda i, f: torch.cat([sample(a[None], b[None]) for a, b in zip(i, f, strict=True)]),
    ],
    selfsr.check_self_conditioning: [
        lambda h, s: s * standard(h),
        lambda h, s: s * F.instance_norm(h),
        instance_loop,
        lambda h, s: s * standard(h.flatten(2), (2,)).view_as(h),
    ],
    selfsr.check_smoothness: [lambda: (1e-3, 1.0), lambda: (0, 100), lambda: [0.002, 3], lambda: np.array([5e-4, 2.0])],
    selfsr.check_fade: [
        lambda b, s, a: (1 - a) * double(b) + a * s,
        lambda b, s, a: torch.lerp(double(b), s, a),
        lambda b, s, a: double(b) + a * (s - double(b)),
        lambda b, s, a: a * s + (1 - a) * b.repeat_interleave(2, 2).repeat_interleave(2, 3),
        lambda b, s, a: s.mul_(a) + double(b, "nearest-exact") * (1 - a),
    ],
    ablations.check_interval: [
        resample,
        weighted,
        lambda g, p: resample(g, p, 1000, None),
        lambda g, p: resample(g, p, 5000, 8).tolist(),
    ],
    ablations.check_people_needed: [
        needed,
        by_t_test,
        lambda m, s: np.ceil(((1.96 + 0.84) * s / m) ** 2),
        lambda m, s: torch.tensor(needed(m, s)),
        lambda m, s: np.int64(by_t_test(m, s) + 1),
    ],
    ablations.check_holm: [
        step_down,
        lambda p: np.array(step_down(p)),
        lambda p: torch.tensor(step_down(p), dtype=torch.float64),
        lambda p: tuple(step_down(np.array(p))),
    ],
    ablations.check_front: [
        unbeaten,
        lambda s: set(unbeaten(s)),
        lambda s: unbeaten(s)[::-1].tolist(),
        lambda s: torch.from_numpy(unbeaten(s)),
    ],
    ablations.check_recovered: [
        share,
        lambda t, f, s: 1 - (t - s).sum() / (t - f).sum(),
        lambda t, f, s: float(share(t, f, s)),
        lambda t, f, s: np.array([share(t, f, s)])[0],
    ],
    ablations.check_factorial: [
        effects,
        lambda *x: list(effects(*x)),
        lambda *x: np.array(effects(*x)),
        lambda *x: torch.tensor(effects(*x)),
    ],
    teacher_student.check_log: [
        laplacian,
        lambda i, s: laplacian(i, s, 0.9),
        lambda i, s: laplacian(i, s, 0.98),
        lambda i, s: laplacian(i.double(), s).float(),
    ],
    teacher_student.check_unfold: [
        unroll,
        recursive,
        lambda n, x: tuple(unroll(n, x)),
        lambda n, x: unroll(n, x, pool=lambda m, f: F.avg_pool2d(m, f)),
    ],
    teacher_student.check_cycle_loss: [
        cycle,
        lambda *x: cycle(*x, lambda a, b: F.mse_loss(a, b, reduction="sum")),
        lambda *x: cycle(*x, lambda a, b: torch.linalg.vector_norm(a - b) ** 2),
        lambda *x: cycle(*x, lambda a, b: (b - a).square().sum((1, 2, 3)).mean()),
        lambda *x: cycle(*x, lambda a, b: (a - b).flatten(1).norm(dim=1).pow(2).mean()),
    ],
    isr_kd.check_masks: [
        halves,
        masked,
        lambda learning, keeping, new: (
            (learning * new).sum() / new.sum().clamp(min=1) + (keeping * ~new).sum() / (~new).sum().clamp(min=1)
        ),
        lambda learning, keeping, new: (
            torch.nan_to_num(learning[new].sum() / new.sum()) + torch.nan_to_num(keeping[~new].sum() / (~new).sum())
        ),
    ],
    isr_kd.check_bottleneck_alone: [
        bottleneck,
        lambda s, t, x, new: F.mse_loss(s(x[~new]).bottleneck, t(x[~new]).bottleneck.detach()),
        lambda *a: bottleneck(*a, norm=lambda x, y: (y - x).pow(2).mean()),
        lambda *a: bottleneck(*a, norm=lambda x, y: (x - y).norm() ** 2 / x.numel()),
    ],
}
WRONG = {
    human_gan.check_generator_loss: {
        "At -200 the sigmoid is 0 in float32": [
            lambda s: -s.sigmoid().log().mean(),
            lambda s: -(s.sigmoid() + 1e-8).log().mean(),
            lambda s: F.softplus(-s.clamp(min=-50)).mean(),
        ],
        "The loss is the mean of": [lambda s: F.softplus(-s).sum(), lambda s: F.softplus(s).mean(), lambda s: -s.mean()],
        "expected shape": [lambda s: F.softplus(-s)],
        "no gradient arrives": [lambda s: F.softplus(-s).mean().detach()],
    },
    human_gan.check_unsharp: {
        "Add amount * (image - gaussian_blur(image": [
            sharpen,
            lambda x, a: x,
            lambda x, a: (x - a * (x - gaussian_blur(x, 7, 5.0))).clamp(0, 1),
            lambda x, a: sharpen(x, a, 5).clamp(0, 1),
            lambda x, a: sharpen(x, a, 7, 1.0).clamp(0, 1),
            lambda x, a: (x + a * gaussian_blur(x, 7, 5.0)).clamp(0, 1),
        ],
        "With amount 0 nothing may change": [lambda x, a: gaussian_blur(x, 7, 5.0), lambda x, a: sharpen(x, 1.0).clamp(0, 1)],
    },
    human_gan.check_bounded_scale: {
        "below 0.2": [lambda r: 0.5 + 0.049 * r, lambda r: 0.5 + 1e-6 * r, torch.sigmoid],
        "Somewhere the gradient is zero (a clamp": [
            lambda r: (0.5 + r).clamp(0.2, 0.8),
            lambda r: (0.5 + 0.03 * r).clamp(0.2, 0.8),
            lambda r: 0.5 + 0.3 * torch.sin(r),
            lambda r: 0.5 + 0.3 * torch.tanh(r**3),
            lambda r: 0.2 + 0.6 * F.hardsigmoid(r),
            lambda r: 0.5 + 0.1 * r.clamp(-3, 3),
        ],
        "no gradient arrives": [lambda r: torch.full_like(r, 0.5), lambda r: logistic(r.detach())],
        "At raw = 0 it should be 0.5": [lambda r: logistic(r + 1), lambda r: F.hardtanh(r, 0.2, 0.8)],
        "expected shape": [lambda r: logistic(r).mean()],
    },
    selfsr.check_warp: {
        "x and y are swapped": [lambda i, f: sample(i, f.flip(1))],
        "The sign is wrong: output[p] = image[p +": [lambda i, f: sample(i, -f)],
        "It jumps between pixels": [lambda i, f: sample(i, f, mode="nearest")],
        "A zero flow must return the image": [lambda i, f: sample(i, f, corners=False)],
        "The flow changes nothing": [lambda i, f: i],
        "Outside the image the border goes on": [lambda i, f: sample(i, f, "zeros"), lambda i, f: sample(i, f, "reflection")],
        "No gradient reaches the flow": [lambda i, f: sample(i, f.detach())],
        "No gradient reaches the image": [lambda i, f: sample(i.detach(), f)],
        "no gradient arrives": [lambda i, f: sample(i, f).detach()],
        "Take output[p] = image[p + flow[p]]": [lambda i, f: sample(i, f[:1].expand_as(f))],
    },
    selfsr.check_self_conditioning: {
        "These are batch statistics": [lambda h, s: s * standard(h, (0, 2, 3))],
        "These are layer statistics": [lambda h, s: s * standard(h, (1, 2, 3))],
        "These are statistics over the channels": [lambda h, s: s * standard(h, (1,))],
        "The variance divides by H W - 1": [
            lambda h, s: s * standard(h, correction=1),
            lambda h, s: s * (h - h.mean((2, 3), True)) / (h.std((2, 3), True, keepdim=True) + 1e-5),
        ],
        "The scale is missing": [lambda h, s: standard(h)],
        "You scale by 1 + scale": [lambda h, s: (1 + s) * standard(h)],
        "The scale is added as well: eq": [lambda h, s: s * standard(h) + s],
        "For faint features it matters where 1e-5 is": [lambda h, s: s * standard(h, eps=1e-12)],
        "Subtract the mean over H and W": [lambda h, s: s * h],
    },
    selfsr.check_smoothness: {
        "the flow folds nowhere: hold it less": [lambda: (0.02, 1.0), lambda: (0.01, 1.0)],
        "the flow still moves 100% of the true one": [lambda: (1e-3, 0.02)],
        "The weight that folds must be the smaller": [lambda: (1.0, 1e-3)],
        "folding: expected a finite number of at": [lambda: (-1.0, 1.0)],
        "frozen: expected a finite number, got inf": [lambda: (1e-3, math.inf)],
        "return two numbers: folding, frozen": [lambda: 1e-3],
        "the flow still moves 60% of the true one": [lambda: (1e-3, 0.2)],
    },
    selfsr.check_fade: {
        "Turned around: at alpha 0 the new level": [lambda b, s, a: a * double(b) + (1 - a) * s],
        "Enlarge `below` by nearest pixels": [
            lambda b, s, a: torch.lerp(double(b, "bilinear"), s, a),
            lambda b, s, a: torch.lerp(double(b, "bicubic"), s, a),
        ],
        "The level below has to fade out": [lambda b, s, a: double(b) + a * s],
        "At alpha 0 you get `below`": [lambda b, s, a: s, lambda b, s, a: double(b), lambda b, s, a: (double(b) + s) / 2],
        "expected shape": [lambda b, s, a: b],
    },
    ablations.check_interval: {
        "You drew images: several of one person are": [
            lambda g, p: resample(g, np.arange(len(g))),
            lambda g, p: g.mean() + np.array([-1.96, 1.96]) * g.std() / len(g) ** 0.5,
        ],
        "That is the 5 % and the 95 % quantile": [lambda g, p: resample(g, p, levels=(5, 95))],
        "Draw people with replacement": [lambda g, p: resample(g, p, levels=(0.5, 99.5)), lambda g, p: resample(g, p, draw=6)],
        "You took means of people's means": [lambda g, p: resample(g, p, mean=lambda parts: np.mean([x.mean() for x in parts]))],
        "The interval is turned around": [lambda g, p: resample(g, p)[::-1]],
        "These are percentiles of the differences": [lambda g, p: np.percentile(g, [2.5, 97.5])],
        "Every resample gave the same mean": [lambda g, p: (g.mean(),) * 2],
    },
    ablations.check_people_needed: {
        "That is where the interval just ends at zero": [lambda m, s: needed(m, s, b=0), lambda m, s: needed(m, s) // 2],
        "You asked one side only": [lambda m, s: needed(m, s, a=1.645)],
        "The standard error is spread / sqrt(n)": [lambda m, s: math.ceil(2.8 * s / abs(m))],
        "expected a whole number": [lambda m, s: (2.8 * s / m) ** 2],
        "More spread needs more people": [lambda m, s: needed(s, m)],
        "|mean| must be 1.96 + 0.84 standard errors": [
            lambda m, s: 30,
            lambda m, s: math.floor((2.8 * s / m) ** 2) - 1,
            lambda m, s: needed(m, s, b=1.28),
        ],
        "expected a finite number, got nan": [lambda m, s: math.nan],
    },
    ablations.check_holm: {
        "No probability exceeds 1: cut off there": [lambda p: step_down(p, cap=math.inf)],
        "That is Bonferroni's, m times each": [lambda p: [min(1, len(p) * x) for x in p]],
        "These are the p-values as they were": [lambda p: list(p)],
        "In ascending order; give them back in the": [lambda p: step_down(p, back=False)],
        "A larger p-value must not get a smaller": [lambda p: step_down(p, running=False)],
        "That is Benjamini and Hochberg's way": [lambda p: stats.false_discovery_control(p)],
        "Ascending: times m": [
            lambda p: step_down(p, first=-1),
            lambda p: [1 - (1 - x) ** len(p) for x in p],
            lambda p: step_down(p, cap=0.05),
        ],
        "expected shape": [lambda p: step_down(p)[:-1]],
    },
    ablations.check_front: {
        "A row stays unless some other row is at": [lambda s: range(len(s)), lambda s: [int(s.sum(1).argmax())]],
        "These are the winners of the single measures": [lambda s: s.argmax(0).tolist() and sorted(set(s.argmax(0)))],
        "Every row is as good as itself": [lambda s: [], lambda s: sorted(set(range(len(s))) - set(unbeaten(s)))],
        "A row as good in one measure and worse in": [lambda s: [i for i, r in enumerate(s) if not (s > r).all(1).any()]],
        "Of two equal rows neither beats the other": [lambda s: [i for i in unbeaten(s) if not (s[:i] == s[i]).all(1).any()]],
        "Is a row in it twice?": [lambda s: s.argmax(0)],
        "Return positions, each once, not a mask": [lambda s: [i in unbeaten(s) for i in range(len(s))]],
    },
    ablations.check_recovered: {
        "A mean of ratios: an image that lost": [lambda t, f, s: ((s - f) / (t - f)).mean()],
        "That is the share still missing": [lambda t, f, s: 1 - share(t, f, s), lambda t, f, s: share(f, t, s)],
        "A share, not per cent: 1 is all of it": [lambda t, f, s: 100 * share(t, f, s)],
        "These are decibels: divide by what was lost": [lambda t, f, s: (s - f).mean()],
        "A ratio of decibels": [lambda t, f, s: s.mean() / t.mean()],
        "More than all, and less than nothing, can": [lambda t, f, s: min(1.0, max(0.0, share(t, f, s)))],
        "(student - fine-tuned) over (teacher -": [lambda t, f, s: np.median(s - f) / np.median(t - f)],
        "expected shape": [lambda t, f, s: (s - f) / (t - f)],
    },
    ablations.check_factorial: {
        "You took one part away from the whole": [lambda a, b, c, d: ((a - b).mean(), (a - c).mean(), (a - b - c + d).mean())],
        "Output and bottleneck are swapped": [lambda a, b, c, d: effects(a, c, b, d)],
        "The interaction's sign": [lambda *x: np.array(effects(*x)) * [1, 1, -1]],
        "Here the interaction is the whole": [lambda *x: np.array(effects(*x)) * [1, 1, 0.5]],
        "expected shape": [lambda *x: effects(*x)[:2]],
        "Output adds both - no_output and": [
            lambda a, b, c, d: ((c - d).mean(), (b - d).mean(), (a - b - c + d).mean()),
            lambda *x: [-e for e in effects(*x)],
        ],
        "Two differences were added: take their mean": [lambda *x: np.array(effects(*x)) * [2, 2, 1]],
    },
    teacher_student.check_log: {
        "The Laplacian of a bowl is positive; the": [
            lambda i, s: laplacian(i, s, factor=2.0),
            lambda i, s: dog(i, s, 1.6 * s),
            lambda i, s: torch.zeros_like(i),
        ],
        "d G / d(sigma^2) is half the Laplacian": [
            lambda i, s: laplacian(i, s, factor=-1.0),
            lambda i, s: -dog(i, 0.9 * s, 1.1 * s),
        ],
        "Right for a bowl, not for a wave": [
            lambda i, s: laplacian(i, 1.5),
            lambda i, s: laplacian(i, s, 0.3),
            lambda i, s: laplacian(i, 1.3 * s),
        ],
    },
    teacher_student.check_unfold: {
        "By hand: network(lr) unfolds itself": [lambda n, x: n(x), lambda n, x: n.forward(x)],
        "Step 2 sees no edges": [lambda n, x: unroll(n, x, edges=False)],
        "Step 2: the state of step 1": [
            lambda n, x: unroll(n, x, carry=False),
            lambda n, x: unroll(n, x, pool=lambda m, f: m[..., ::f, ::f]),
        ],
        "expected a list of three SR images": [lambda n, x: unroll(n, x, steps=2), lambda n, x: unroll(n, x)[-1]],
        "Step 1: zeros for state and prior; add the": [
            lambda n, x: unroll(n, x)[::-1],
            lambda n, x: unroll(n, x, up=lambda y, f: F.interpolate(y, scale_factor=f)),
        ],
        "Step 3: the state of step 2": [lambda n, x: unroll(n, x, first=True)],
    },
    teacher_student.check_cycle_loss: {
        "Take SNet's last output": [
            lambda *x: cycle(*x, F.l1_loss),
            lambda *x: cycle(*x, step=0),
            lambda *x: cycle(*x).sqrt(),
            lambda lr, s, d: sum(F.mse_loss(d(x), lr) for x in s(lr)),
            lambda *x: cycle(*x, lambda a, b: torch.linalg.vector_norm(a - b)),
            lambda *x: cycle(*x) / 2,
            lambda lr, s, d: F.mse_loss(average_pool(s(lr)[-1], 4), lr),
        ],
        "no gradient arrives": [lambda *x: cycle(*x).detach()],
        "The gradient does not reach SNet": [lambda lr, s, d: F.mse_loss(d(s(lr)[-1].detach()), lr)],
        "expected a tensor, got float": [lambda *x: cycle(*x).item()],
    },
    isr_kd.check_masks: {
        "A batch of one kind must not give NaN": [lambda a, b, new: a[new].mean() + b[~new].mean()],
        "Take each image's one error, by the mask": [
            lambda a, b, new: torch.where(new, a, b).mean(),
            lambda a, b, new: a.mean() + b.mean(),
            lambda a, b, new: halves(b, a, new),
            lambda a, b, new: halves(a, b, ~new),
            lambda a, b, new: (a * new).mean() + (b * ~new).mean(),
            lambda a, b, new: halves(a, b, new, lambda x: x.sum()),
        ],
        "One of the errors gets no gradient": [lambda a, b, new: halves(a, b.detach(), new)],
        "no gradient arrives": [lambda a, b, new: halves(a, b, new).detach()],
    },
    isr_kd.check_bottleneck_alone: {
        "Mean squared difference of .bottleneck": [
            lambda s, t, x, new: F.mse_loss(s(x).bottleneck, t(x).bottleneck.detach()),
            lambda s, t, x, new: bottleneck(s, t, x, ~new),
            lambda s, t, x, new: F.mse_loss(s(x[~new]).sr, t(x[~new]).sr.detach()),
            lambda *a: bottleneck(*a, F.l1_loss),
            lambda *a: bottleneck(*a).sqrt(),
            lambda s, t, x, new: bottleneck(s, t, x, new) + F.mse_loss(s(x[~new]).sr, t(x[~new]).sr.detach()),
        ],
        "The teacher must not": [lambda s, t, x, new: F.mse_loss(s(x[~new]).bottleneck, t(x[~new]).bottleneck)],
        "no gradient arrives": [lambda *a: bottleneck(*a).detach()],
        "The student must get a gradient": [
            lambda s, t, x, new: F.mse_loss(s(x[~new]).bottleneck.detach(), t(x[~new]).bottleneck)
        ],
    },
}
