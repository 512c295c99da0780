from benchbase.cli.suspects import suspects


def test_what_a_run_is_told_of_ones_own_images_suspects_are_told_in_the_same_words():
    names = {param.opts[0] for param in suspects.params}
    assert {"--size", "--split", "--trusted", "--backbone"} <= names
