"""Long proofs are made of numbered runs, so that several processes can share them, and one run can be had again.

    make soak ARGS="tests/orders/test_machine.py --share 1/2"          every other run, this process's half
    make soak ARGS="tests/orders/test_machine.py --runs 40-"           from number 40 on, where an earlier process ended
    make soak ARGS="tests/orders/test_machine.py --runs 17"            this one alone, as a failure asks for

Each says at its end how many runs it made, of how many, and in what time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field

import pytest

TOLD_EVERY_S = 60


def add_options(parser: pytest.Parser) -> None:
    """`--share 1/2` and `--runs 40-`, for the long proofs."""
    group = parser.getgroup("long proofs")
    group.addoption("--share", default="1/1", metavar="I/N", help="of the numbered runs, those of share I of N")
    group.addoption(
        "--runs", default="0-", metavar="FROM-TO", help="of the numbered runs, only these: 17, 40- or 40-59"
    )


@dataclass
class Share:
    """The runs that fall to this process."""

    config: pytest.Config
    test: str
    part: int
    parts: int
    first: int
    last: int | None
    began: float = field(default_factory=time.monotonic)
    own: float = field(default_factory=time.process_time)

    @classmethod
    def of(cls, request: pytest.FixtureRequest) -> Share:
        """What the options say, for the test that asks."""
        config = request.config
        part, _, parts = str(config.getoption("--share")).partition("/")
        first, dash, last = str(config.getoption("--runs")).partition("-")
        return cls(
            config=config,
            test=request.node.nodeid,
            part=int(part),
            parts=int(parts),
            first=int(first),
            last=int(last) if last else None if dash else int(first),
        )

    def say(self, line: str) -> None:
        """Write a line that is seen at once, although pytest keeps what a test prints."""
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            print(f"\n{line}", flush=True)

    def numbers(self, runs: int) -> list[int]:
        """The numbers of this process's runs, out of 0 to `runs` - 1."""
        last = runs - 1 if self.last is None else min(self.last, runs - 1)
        return [number for number in range(self.part - 1, runs, self.parts) if self.first <= number <= last]

    def go(self, runs: int, make: Callable[[int], object], told: Callable[[], str] = str) -> int:
        """Make the runs one after the other; `told` adds to the last line. Returns how many there were.

        A run that fails ends it all, with the command that makes that run alone.
        """
        numbers, said = self.numbers(runs), self.began
        for made, number in enumerate(numbers):
            if time.monotonic() - said > TOLD_EVERY_S:
                said = time.monotonic()
                self.say(f"{self.test}: {made} of {len(numbers)} runs in {said - self.began:.0f} s, next is {number}")
            try:
                make(number)
            except BaseException:
                self.say(f"run {number} failed; again: make soak ARGS=\"'{self.test}' --runs {number}\"")
                raise
        took, own = time.monotonic() - self.began, time.process_time() - self.own
        if self.config.getoption("markexpr") == "soak":
            part = f"{len(numbers)} of {runs} runs (share {self.part}/{self.parts})"
            self.say(f"{self.test}: {part} in {took:.0f} s, {own:.0f} s of them this process's own; {told()}")
        return len(numbers)
