"""Where two decoders part: the stage, the tensor, the element, the bin, and what arithmetic says about the cause."""
