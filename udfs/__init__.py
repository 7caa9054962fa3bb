"""What runs in executors: pure functions on images, and thin Spark wrappers around them."""
