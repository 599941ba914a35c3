"""How beats flow: a FIFO at the end of a pipeline that runs free, and that pipeline."""
