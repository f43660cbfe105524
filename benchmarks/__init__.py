"""What each figure is measured with: `make bench` runs all of it, see docs/figures.md."""
