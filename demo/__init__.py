"""The browser demo, in four rooms: service < kit < tabs < web; each may import those before it, a tab no other tab."""
