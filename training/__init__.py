"""Floor 3: trains the networks that judge faces; needs PyTorch, which nothing else here does."""
