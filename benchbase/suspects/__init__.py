"""Which labels look wrong: rankings of a data set's labels, and how far each can be believed."""
