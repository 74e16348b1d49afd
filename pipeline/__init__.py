"""Floor 2: one turn of the loop, its threads, and what to look at."""
