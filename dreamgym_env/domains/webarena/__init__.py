"""WebArena-Lite: tasks on web sites, by a browser."""
