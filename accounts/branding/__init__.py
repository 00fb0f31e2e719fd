"""How the installation looks to its visitors: name, logo, colours, footer, own pages."""
