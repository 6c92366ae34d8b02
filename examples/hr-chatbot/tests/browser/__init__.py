"""In a real browser: the page, the application and its database."""
