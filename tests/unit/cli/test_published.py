"""``benchbase published``."""

from click.testing import CliRunner

from benchbase.cli.published import published


def test_it_says_why_the_quick_board_compares_with_nothing(tmp_path):
    ran = CliRunner().invoke(published, ["quick", "--home", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    assert "not comparable: data cifar10, here nuclei" in ran.output
    assert "github.com/xjtushujun/CMW-Net at 2bfd5e8" in ran.output
