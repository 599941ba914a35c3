"""The explorer: lanes and columns for each layer, by a cost model, and placed where it matters."""
