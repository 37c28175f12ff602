"""Runs of the suite as runs of MLflow. Start at `plugin`."""
