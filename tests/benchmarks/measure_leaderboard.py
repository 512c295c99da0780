"""Make records, then time reading them and making a leaderboard's files of them; prints JSON.

In processor time: what else the machine does must not count.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchbase.boards.board import Board
from benchbase.leaderboard import board_files
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.record import Record, record_text
from benchbase.records.store import Store
from tests.unit.made_records import make_board, make_records, make_scenario

METHODS = {f"method-{index}": 0.5 + 0.004 * index for index in range(50)}
SCENARIOS = [make_scenario(rate / 100, ratio) for rate in range(20) for ratio in (1, 10)]


def write_records(folder: Path, place: str, seeds: int) -> int:
    """Write 2,000 records a seed, method by method; give their number."""
    written = 0
    for method, score in METHODS.items():
        board = make_board([method], SCENARIOS, seeds, reference=method)
        records = make_records(board, {method: score})
        written += len(records)
        if place == "beside":
            Committed(folder).merge(records)
        else:
            for record in records:
                path = Home(folder).record(record.key, record.attempt)
                path.parent.mkdir(parents=True)
                path.write_text(record_text(record))
    return written


def best_of(rounds: int, board: Board, read: Callable[[], list[Record]]) -> dict[str, float]:
    """Time it some times; give the best."""
    times = []
    for _ in range(rounds):
        before = time.process_time()
        records = read()
        after = time.process_time()
        files = board_files(board, records)
        del records
        times.append((after - before, time.process_time() - after))
        assert files["leaderboard.csv"].count("method-49,") == 1 + len(board.scenarios)
    reading, making = min(times, key=sum)
    return {"reading": reading, "making": making, "seconds": reading + making}


def main(place: str, seeds: int, rounds: int) -> None:
    """Time records ``beside`` a board or in a ``home``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = write_records(folder, place, seeds)
        read = {
            "beside": lambda: Committed(folder).records(),
            "home": lambda: Store(Home(folder)).records(),
        }
        board = make_board(METHODS, SCENARIOS, seeds, reference="method-0")
        print(json.dumps({"records": count, **best_of(rounds, board, read[place])}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
