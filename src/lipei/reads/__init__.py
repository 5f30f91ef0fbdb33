"""Questions: what a page or a program may know. Nothing here changes anything, and nothing is shown unmasked unasked."""
