"""Work in threads: answers in their order, problems where they are asked for, and an end."""

import threading

import pytest

from cockpit.side_by_side import GivenUp, SideBySide


def test_answers_come_in_the_order_of_the_questions_whatever_takes_longest() -> None:
    last = threading.Event()

    def work(number: int) -> int:
        if number == 0:
            assert last.wait(30)
        if number == 9:
            last.set()
        return number * 2

    with SideBySide(4) as pool:
        assert pool.map(work, range(10)) == [number * 2 for number in range(10)]


def test_no_more_threads_than_are_asked_for() -> None:
    seen: set[int] = set()
    with SideBySide(3) as pool:
        pool.map(lambda _: seen.add(threading.get_ident()), range(50))
    assert 1 <= len(seen) <= 3
    assert not any(thread.ident in seen for thread in threading.enumerate())


def test_a_problem_is_raised_by_the_answer_and_stops_nothing_else() -> None:
    with SideBySide(1) as pool:
        broken, sound = pool.submit(int, "x"), pool.submit(int, "12", base=3)
        for _ in range(2):
            with pytest.raises(ValueError, match="'x'"):
                broken.result()
        assert sound.result() == 5


def test_what_was_begun_is_done_when_the_context_is_left_early() -> None:
    done: list[int] = []
    with pytest.raises(KeyError), SideBySide(1) as pool:
        for number in range(20):
            pool.submit(done.append, number)
        raise KeyError
    assert done == list(range(20))


def test_what_is_given_up_is_told_to_who_waits() -> None:
    begun, go = threading.Event(), threading.Event()
    pool = SideBySide(1)
    first = pool.submit(lambda: (begun.set(), go.wait(30)))
    second = pool.submit(lambda: None)
    assert begun.wait(30)
    pool.close(wait=False, give_up=True)
    with pytest.raises(GivenUp):
        second.result()
    with pytest.raises(RuntimeError):
        pool.submit(lambda: None)
    go.set()
    assert first.result() == (None, True)
