"""One module per paper, each told top to bottom: Config, networks, objective, one training step."""
