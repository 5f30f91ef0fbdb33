"""Pages for customers: report a loss, follow it, agree to what is offered (norm 2.3.1, 2.4.1)."""
