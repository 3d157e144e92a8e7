"""The checks of the losses notebook pass a right answer and name what is wrong with the usual wrong ones."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from facesr_lib.exercises.losses import check_invisible_change, check_js, check_pixel_gradients, check_relativistic


def gradients(sr, hr):
    return (sr - hr).sign() / sr.numel(), 2 * (sr - hr) / sr.numel()


def relativistic(real, fake):
    return F.softplus(real.mean() - fake).mean() + F.softplus(real - fake.mean()).mean()


def kl(log_p, log_q):
    return (log_p.exp() * (log_p - log_q)).sum(1)


def js(a, b):
    p, q = a.log_softmax(1), b.log_softmax(1)
    m = torch.logaddexp(p, q) - torch.log(torch.tensor(2.0))
    return (kl(p, m) + kl(q, m)) / 2


def js_by_probabilities(a, b):
    p, q = a.softmax(1), b.softmax(1)
    m = (p + q) / 2
    return ((p * (p / m).log()).sum(1) + (q * (q / m).log()).sum(1)) / 2


RIGHT = {
    check_pixel_gradients: gradients,
    check_relativistic: relativistic,
    check_js: js,
    check_invisible_change: lambda flow: flow + 1,
}
WRONG = [
    (check_pixel_gradients, lambda sr, hr: ((sr - hr).sign(), 2 * (sr - hr)), "means"),
    (check_pixel_gradients, lambda sr, hr: gradients(hr, sr), "L1"),
    (check_pixel_gradients, lambda sr, hr: gradients(sr, hr)[0], "two tensors"),
    (check_relativistic, lambda real, fake: F.softplus(real.mean() - fake).mean(), "two means"),
    (check_relativistic, lambda real, fake: F.softplus(-fake).mean() + F.softplus(real).mean(), "two means"),
    (
        check_relativistic,
        lambda real, fake: (
            -torch.log(torch.sigmoid(fake - real.mean())).mean()
            - torch.log(1 - torch.sigmoid(real - fake.mean())).mean()
        ),
        "softplus",
    ),
    (check_js, lambda a, b: kl(a.log_softmax(1), b.log_softmax(1)), "Kullback"),
    (check_js, lambda a, b: js(a, b).mean(), "shape"),
    (check_js, js_by_probabilities, "log_softmax"),
    (check_invisible_change, lambda flow: flow, "at least 1"),
    (check_invisible_change, lambda flow: 2 * flow + 1, "changed"),
    (check_invisible_change, lambda flow: flow[:, :1], "shape"),
]


@pytest.mark.parametrize("check", RIGHT, ids=lambda check: check.__name__)
def test_right_answers_pass_and_stubs_do_not(check) -> None:
    def unsolved(*_: object) -> None:
        raise NotImplementedError

    assert check(RIGHT[check]).passed, check(RIGHT[check])
    assert "Not solved yet" in repr(check(unsolved))
    assert not check(lambda *_: 1.0).passed


@pytest.mark.parametrize(("check", "answer", "hint"), WRONG)
def test_wrong_answers_are_told_why(check, answer, hint) -> None:
    found = check(answer)
    assert not found.passed
    assert hint in found.message
