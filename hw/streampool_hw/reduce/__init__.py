"""What reduces a window along one axis: operations, stores, the stage."""
