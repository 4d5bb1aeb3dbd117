/** Points of a sealed block. */
export const BLOCK_POINTS = 1024
/** Fewer points of an ended run stay as they are: a block of them would not be smaller. */
export const SEAL_POINTS_MIN = 32
/** Batches of many keys that a run may have before they are taken apart: what a reader of one key decodes for nothing. */
export const BATCHES_OPEN_MAX = 64
/** Points of one key in one batch from which on they are a chunk, and not rows. */
export const CHUNK_POINTS_MIN = 5
