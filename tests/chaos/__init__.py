"""Everything that can die is killed while citizens call; then it is counted who was lost (docs/chaos.md)."""
