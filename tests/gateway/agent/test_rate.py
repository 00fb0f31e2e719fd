"""How fast a count grows."""

from gateway.agent.rate import Rate


def test_a_first_look_tells_nothing():
    assert Rate().of(500, 1000.0) == 0


def test_it_is_the_growth_of_the_last_ten_seconds():
    rate = Rate()
    found = [
        rate.of(count, at) for at, count in ((0.0, 0), (0.1, 1), (2.0, 200), (12.0, 1_200), (14.0, 1_200))
    ]
    assert found == [0, 10, 100, 100, 83.33]
    assert rate.of(1_200, 30.0) == 0


def test_it_keeps_few_marks_however_often_it_is_asked():
    rate = Rate()
    for step in range(10_000):
        rate.of(step, step / 100)
    assert len(rate._marks) < 15
