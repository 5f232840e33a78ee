"""The other rows of the paper's table 1, one small file each: what was tried before pixels were drawn one by one."""
