"""The product and label detector: one small network that finds products, tags, text areas and the product's mask."""
