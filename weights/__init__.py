"""The networks: where each comes from, its licence, its hash; bringing and converting them."""
