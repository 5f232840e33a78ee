"""The other rows of the paper's table 1, one small file each: what was tried before an image was drawn pixel by pixel."""
