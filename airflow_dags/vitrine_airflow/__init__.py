"""What the DAGs are made of: configuration, operators, assets, alerts. Imports Airflow alone, and nothing heavy."""
