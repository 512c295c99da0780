"""What the command line costs before it does anything."""

import pytest


@pytest.mark.parametrize("command", ["--help", "list"])
def test_the_command_line_starts_within_three_times_the_start_of_click(measure, hold, command):
    hold(f"start of {command}", measure("measure_start_up.py", command)["ratio"], 3)
