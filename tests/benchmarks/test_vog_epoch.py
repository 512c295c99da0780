"""What an epoch with VoG costs: 2,000 images of 32 pixels, small_cnn, one thread."""


def test_an_epoch_with_vog_stays_within_a_tenth_of_one_of_co_teaching(measure, hold):
    hold("epoch with vog", measure("measure_vog_epoch.py", "2000")["epoch_ratio"], 1.1)
