"""The search service over the published tables: engine, web interface and page. Nothing in here needs Spark."""
