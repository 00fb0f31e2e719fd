"""Portal products: chosen operations of several APIs, with pages and an order of their own."""
