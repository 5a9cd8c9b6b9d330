"""The page: a workspace in a browser, by the same words and forms as the commands."""
