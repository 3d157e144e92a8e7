from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from facesr_tools.runner.log import Log, Stream

PLAIN = st.text(st.characters(blacklist_characters="\r\x1b", blacklist_categories=["Cs"]))


def lines_of(*pieces: str, clock=lambda: 0.0) -> list[str]:
    lines: list[str] = []
    stream = Stream(lines.append, clock)
    for piece in pieces:
        stream.write(piece)
    stream.close()
    return lines


@given(st.lists(PLAIN))
def test_lines_do_not_depend_on_how_the_text_arrives(pieces):
    text = "".join(pieces)
    lines = [line.rstrip() for line in text.split("\n")]
    assert lines_of(*pieces) == (lines if text.split("\n")[-1] else lines[:-1])


def test_a_redrawn_line_comes_out_once_in_its_last_state():
    bar = [f"\r{i:3}%|{'#' * (i // 10)}" for i in range(0, 101, 10)]
    assert lines_of("before\n", *bar, "\n", "after\n") == ["before", "100%|##########", "after"]
    assert lines_of("windows\r\n", "split\r", "\nend") == ["windows", "split", "end"]


def test_a_slow_bar_is_logged_now_and_then():
    times = iter(range(0, 1000, 3))  # each look at the clock is three seconds later
    lines = lines_of(*[f"\r{i}/20" for i in range(1, 21)], "\n", clock=lambda: float(next(times)))
    assert lines[-1] == "20/20"
    assert 3 <= len(lines) <= 15
    assert lines == sorted(lines, key=lambda line: int(line.split("/")[0]))
    assert len(set(lines)) == len(lines)


def test_colours_are_dropped():
    assert lines_of("\x1b[31mred\x1b[0m\n") == ["red"]


def test_the_streams_do_not_mix_and_widget_bars_are_logged(tmp_path: Path):
    with Log(tmp_path / "log.txt") as log:
        log.stderr.write("\r 50%")
        log.stdout.write("hello\n")
        log.stderr.write("\r100%\n")
        log.bar("train:\u2007\u200740%")
        log.bar("\u20074/10 [00:01&lt;00:02,\u20079.6it/s]")
        log.bar("train: 100%")
        log.bar(" 10/10 [00:03&lt;00:00,  3.2step/s, loss=0.5]")
        log.bar("a label of a slider")
    assert (tmp_path / "log.txt").read_text().splitlines() == [
        "hello",
        "100%",
        "train: 100%  10/10 [00:03<00:00,  3.2step/s, loss=0.5]",
    ]
