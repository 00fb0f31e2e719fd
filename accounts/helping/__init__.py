"""Staff of the installation who look at the site as a customer sees it, to help her."""
