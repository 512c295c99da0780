"""Very many images: what a worker keeps of them, when it begins, and what a step costs."""

GIBI = 1 << 30


def test_a_million_images_take_little_memory_and_are_soon_trained_on(measure, hold):
    found = measure("measure_large.py", "cell")
    hold("a million images, anonymous GiB of a worker", found["worker"] / GIBI, 1.5)
    hold("a million images, seconds to the first step", found["seconds"], 5)


def test_a_search_for_wrong_labels_keeps_no_images(measure, hold):
    found = measure("measure_large.py", "search")
    hold("300,000 images searched, anonymous GiB of a worker", found["worker"] / GIBI, 1.0)
    hold("300,000 images searched, anonymous GiB of the parent", found["parent"] / GIBI, 1.0)


def test_a_step_from_the_map_takes_hardly_longer_than_one_from_memory(measure, hold):
    hold("a step from the map", measure("measure_large.py", "pipeline")["ratio"], 1.1)
