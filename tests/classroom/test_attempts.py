"""What a notebook's cells leave behind: the same as in IPython, or "cannot be judged"."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from facesr_lib.exercises.human_gan import check_bounded_scale
from facesr_tools.classroom.attempts import CannotJudge, Notebook, attempt

CHECK = "facesr_lib.exercises.human_gan:check_bounded_scale"
BODY = "    return 0.2 + 0.6 * torch.sigmoid(raw)"
ANSWER = f"def my_scale(raw):\n{BODY}"
INNER = ANSWER.replace("\n", "\n    ")
OF_LOW = "def my_scale(raw):\n    return LOW + 0.6 * raw.sigmoid()"
OF_ENDS = "def my_scale(raw):\n    return ENDS[0] + 0.6 * raw.sigmoid()"
OF_TWO = "def my_scale(raw):\n    return low + (high - low) * raw.sigmoid()"
STUB = "def my_scale(raw):\n    raise NotImplementedError"


def judged(*cells: str) -> bool | str:
    """The verdict of `facesr grade`; text for one that cannot be told."""
    try:
        return attempt("my_scale", CHECK, Notebook(["import torch", STUB, *cells])).passed
    except CannotJudge as reason:
        return str(reason)


def in_ipython(folder: Path, monkeypatch: pytest.MonkeyPatch, *cells: str) -> bool:
    monkeypatch.setenv("IPYTHONDIR", str(folder))
    shell = InteractiveShell()
    shell.history_manager.enabled = False
    for cell in ("import torch", STUB, *cells):
        shell.run_cell(cell)
    found = shell.user_ns.get("my_scale")
    return check_bounded_scale(found).passed


# Right in a notebook, and right here: as people write.
RUN = {
    "modulo on a line of its own": ["def my_scale(raw):\n    low = (12\n    % 10) / 10\n    return low + 0.6 * raw.sigmoid()"],
    "percent signs in a text": [f'def my_scale(raw):\n    """Between\n%20 and\n%80\n    """\n{BODY}'],
    "exclamation mark in a text": [f"def my_scale(raw):\n    '''\n!important\n    '''\n{BODY}"],
    "help": [f"torch.sigmoid?\n?torch\n{ANSWER}"],
    "help on what the answer uses": ["float?\nmy_scale?\ndef my_scale(raw):\n    return float('0.2') + 0.6 * raw.sigmoid()"],
    "shell": [f"!true\n{ANSWER}"],
    "what a command gives": [f"lines = !echo a\nhere = %pwd\n{ANSWER}"],
    "timed cell": [f"%%time\n{ANSWER}"],
    "captured cell": [f"%%capture said\n{ANSWER}"],
    "timed definition": ["%time my_scale = lambda raw: 0.2 + 0.6 * raw.sigmoid()"],
    "prompts": [">>> def my_scale(raw):\n...     return 0.2 + 0.6 * raw.sigmoid()"],
    "indented cell": ["    def my_scale(raw):\n        return 0.2 + 0.6 * raw.sigmoid()"],
    "semicolon": ["LOW = 0.2; WIDE = 0.6;", "my_scale = lambda raw: LOW + WIDE * torch.sigmoid(raw)"],
    "closure": ["def between(a, b):\n    return lambda raw: a + (b - a) * raw.sigmoid()\n\nmy_scale = between(0.2, 0.8)"],
    "decorator": [
        "from functools import wraps\ndef shifted(f):\n    @wraps(f)\n    def g(x):\n        return f(x) + 0.2\n    return g",
        "@shifted\ndef my_scale(raw):\n    return 0.6 * raw.sigmoid()",
    ],
    "object that can be called": [
        "class Scale(torch.nn.Module):\n    def __init__(self, low):\n        super().__init__()\n        self.low = low\n"
        "    def forward(self, raw):\n        return self.low + 0.6 * raw.sigmoid()\n\nmy_scale = Scale(0.2)"
    ],
    "dataclass": [
        "from dataclasses import dataclass\n\n@dataclass\nclass Scale:\n    low: float = 0.2\n    def __call__(self, raw):\n"
        "        return self.low + 0.6 * raw.sigmoid()\n\nmy_scale = Scale()"
    ],
    "bound method": [
        "class Box:\n    def of(self, raw):\n        return 0.2 + 0.6 * raw.sigmoid()\n\nmy_scale = Box().of"
    ],
    "table filled in a loop": ["ENDS = []\nfor k in (1, 4):\n    ENDS.append(k / 5)", OF_ENDS],
    "entry of a table": ["ENDS = {}\nENDS[0] = 0.2", OF_ENDS],
    "comprehension": ["low, high = [k / 10 for k in range(10) if k in (2, 8)]", OF_TWO],
    "tensor with methods": ["ENDS = torch.tensor([[0.2, 0.8]]).double().view(-1).float()", OF_ENDS],
    "other branch": [
        f"try:\n    import no_such_package_here\nexcept ImportError:\n    FAST = False\nif FAST:\n    pass\nelse:\n    {INNER}"
    ],
    "branch beside a call": [f"if True:\n    print(1)\n    {INNER}"],
    "with": ["with torch.no_grad():\n    LOW = torch.tensor(0.2)\n" + OF_LOW],
    "walrus": ["(low := 0.2)", "def my_scale(raw):\n    return low + 0.6 * raw.sigmoid()"],
    "tried out before": ["ENDS = torch.tensor([0.2, 0.8])\n" + OF_ENDS, "print(my_scale(torch.ones(3)))", "my_scale(ENDS)"],
    "shown before": ["ENDS = [0.2, 0.8]\nprint(ENDS)\ndisplay(ENDS)\nlen(ENDS)", OF_ENDS],
    "display in an answer": [f"def my_scale(raw):\n    display(raw.shape)\n{BODY}"],
    "annotations from the future": ["from __future__ import annotations", "def my_scale(raw: Nowhere) -> Nobody:\n" + BODY],
    "star": ["from torch import *", "def my_scale(raw):\n    return 0.2 + 0.6 * sigmoid(raw)"],
    "global counter": [f"calls = 0\ndef my_scale(raw):\n    global calls\n    calls += 1\n{BODY}"],
    "main": [f"if __name__ == '__main__':\n    {INNER}"],
    "answer after a cell that stops": ["raise SystemExit", ANSWER],
}  # fmt: skip
# Wrong in a notebook, and wrong here.
WRONG = {
    "cell that is no Python": [f"{ANSWER}\n\nplot("],
    "stub again": [ANSWER, STUB],
    "body of a shell cell": [f"%%bash\n{ANSWER}"],
    "timed statement without effect": [f"%%timeit -n1 -r1\n{ANSWER}"],
    "constant changed later": ["LOW = 0.2\ndef my_scale(raw):\n    return LOW + 0.6 * raw.sigmoid()", "LOW = 0.3"],
    "null byte": [f"{ANSWER}\n\0"],
}
# What cannot be told from what is run here; the reason names it.
UNTOLD = {
    "LOW = load(1)": ["def load(p):\n    while True:\n        return 0.2\nLOW = load(1)", OF_LOW],
    "ENDS.fill_(0.9)": ["ENDS = torch.tensor([0.9])", "ENDS.fill_(0.9)", OF_ENDS],
    "fill()": ["ENDS = []\ndef fill():\n    while not ENDS:\n        ENDS.append(0.2)", "fill()", OF_ENDS],
    "put(ENDS)": ["ENDS = []\ndef put(x):\n    while not x:\n        x.append(0.2)", "put(ENDS)", OF_ENDS],
    "change()": [
        "LOW = 0.9\ndef change():\n    global LOW\n    while LOW > 0.2:\n        LOW = 0.2", "change()", OF_LOW
    ],
    "%skip": [f"%%skip\n{ANSWER}"],
    "exec(": [f"exec({ANSWER!r})"],
    "eval(": [ANSWER, "my_scale = eval('1')"],
    "%run": ["%run helper.py"],
    "helper_of_mine": ["from helper_of_mine import squash", "def my_scale(raw):\n    return squash(raw)"],
    "from nowhere_at_all import *": ["from nowhere_at_all import *", "def my_scale(raw):\n    return squash(raw)"],
    "open(": ["LOW = float(open('low.txt').read())", OF_LOW],
    "input(": ["LOW = float(input())", OF_LOW],
    "raises ZeroDivisionError": ["x = 1 / 0\n" + ANSWER],
    "raises RuntimeError": ["raise RuntimeError\n" + ANSWER],
    "my_scale = my_scale_of": ["my_scale = my_scale_of(3)"],
    "while": ["while True:\n    LOW = 0.2\n    break\ndef my_scale(raw):\n    return LOW + 0.6 * raw.sigmoid()"],
    "uses float": ["float = open('x')", "def my_scale(raw):\n    return float(0.2) + 0.6 * raw.sigmoid()"],
    "os.system": ["import os\nLOW = os.system('true') + 0.2", OF_LOW],
    "map(os.unlink": ["import os\nLOW = len(list(map(os.unlink, []))) + 0.2", OF_LOW],
    "torch.sigmoid = torch.tanh": ["torch.sigmoid = torch.tanh", "def my_scale(raw):\n    return 0.5 + 0.3 * torch.sigmoid(raw)"],
    "os.environ": ["import os\nos.environ['FACESR_X'] = '0.2'\nLOW = float(os.environ['FACESR_X'])", OF_LOW],
    "get_ipython": ["def my_scale(raw):\n    return get_ipython().ev('0.2') + 0.6 * raw.sigmoid()"],
}  # fmt: skip


@pytest.mark.parametrize("case", RUN)
def test_what_is_right_in_a_notebook_is_right_here(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert in_ipython(tmp_path, monkeypatch, *RUN[case])
    assert judged(*RUN[case]) is True


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_in_a_notebook_is_wrong_here(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not in_ipython(tmp_path, monkeypatch, *WRONG[case])
    assert judged(*WRONG[case]) is False


@pytest.mark.parametrize("reason", UNTOLD)
def test_what_is_not_run_is_not_judged(reason: str) -> None:
    found = judged(*UNTOLD[reason])
    assert isinstance(found, str)
    assert reason in found


def test_nothing_but_what_is_allowed_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    there = "from pathlib import Path\nimport os, functools\n"
    traces = [
        "Path('a').touch()",
        "x = Path('b').write_text('')",
        "y = [Path('c').touch() for _ in range(1)]",
        "def f(x=Path('d').touch()): pass",
        "@Path('e').touch\ndef g(): pass",
        "class C(object, metaclass=os.mkdir('f')): pass",
        "z = list(map(os.mkdir, ['g']))",
        "def h():\n    os.mkdir('h')\nw = h()",
        "class D:\n    os.mkdir('i')",
        "k = sorted(['j'], key=os.mkdir)",
        "v = {os.mkdir: 1}\nfor make in v:\n    make('k')",
        "u = f'{os.mkdir(str(1))}'",
        "q = [os.mkdir][0]('l')",
        "assert os.mkdir('m') is None",
        "!mkdir n",
        "%%writefile o\nx",
        "r = functools.reduce(lambda a, b: os.mkdir('p'), [1, 2])",
        "if not os.mkdir('q'):\n    pass",
        "os.mkdir = print",
    ]
    Notebook([there, *traces])
    assert not list(tmp_path.iterdir())
    assert os.mkdir is not print


def test_an_answer_is_judged_although_other_cells_are_not_run() -> None:
    cells = [
        "hr = faces.take([0])",
        "sr = network(hr)\nplt.rcParams['a'] = 3",
        "x = hr + torch.randn(3, generator=torch.Generator().manual_seed(3))",
    ]
    cells += ["for row in zip(rows, torch.ones(3)):\n    show(row, torch.randperm(4))", ANSWER, "figure = show(my_scale(sr))"]
    assert judged(*cells) is True
