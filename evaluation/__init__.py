"""Floor 3: how good it is, measured on labelled data, a command for each published figure."""
