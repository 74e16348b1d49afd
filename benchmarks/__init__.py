"""Floor 3: speed and memory, measured on the code that the program runs."""
