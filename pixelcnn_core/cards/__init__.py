"""Model cards, and the tables of the README, from the files that the commands wrote.

Cards are templates of `str.format`. huggingface_hub's `ModelCard.from_template` would fill the same gaps, and needs
jinja2 for it.
"""
