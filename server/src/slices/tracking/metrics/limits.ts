/** Points of a sealed block. */
export const BLOCK_POINTS = 1024
/** Fewer points of an ended run stay as they are: a block of them would not be smaller. */
export const SEAL_POINTS_MIN = 32
/** Points of one key in one batch from which on they are a chunk, and not rows. */
export const CHUNK_POINTS_MIN = 5
