from tests.benchmarks.ratios import Ratio, read, table, write


def test_the_table_tells_each_ratio_its_limit_and_the_last_one():
    ratios = {"step": Ratio(3.2, 3.5), "jobs": Ratio(0.9, 0.97, at_least=True)}
    _, step, jobs = table(ratios, {"step": 3.4})
    assert step.split() == ["step", "3.200", "<=", "3.5", "3.400"]
    assert jobs.split() == ["jobs", "0.900", ">=", "0.97", "-", "out"]


def test_what_did_not_run_keeps_its_last_ratio(tmp_path):
    path = tmp_path / "kept" / "ratios.json"
    assert read(path) == {}
    write(path, {"step": Ratio(3.2, 3.5), "jobs": Ratio(0.9, 0.97)})
    write(path, {"step": Ratio(3.1, 3.5)})
    assert read(path) == {"step": 3.1, "jobs": 0.9}
