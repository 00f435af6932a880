"""WebShop: the domain, its catalogue, its real engine, its verifier and its scripted shoppers."""
