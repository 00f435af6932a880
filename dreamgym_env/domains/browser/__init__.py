"""What the web domains share: a real browser through BrowserGym, its pages as text, and its actions."""
