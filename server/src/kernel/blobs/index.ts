/** Content-addressed bytes. What `put` answered is on disk, durably, and every read checks the digest. */
import type { Readable } from 'node:stream'

export interface BlobRef {
  /** `sha256:<64 hex digits>`. */
  digest: string
  size_bytes: number
}

export interface Blobs {
  /**
   * Streams `source` to disk, hashing on the way; resolves after the file and its folder are synced. Equal bytes are kept once.
   * Throws too-large past `max_bytes`, storage-full below the reserve, invalid when `expect` is given and differs. Nothing half-done stays.
   */
  put(
    source: Readable | Uint8Array | AsyncIterable<Uint8Array>,
    options?: { max_bytes?: number; expect?: string; signal?: AbortSignal },
  ): Promise<BlobRef>
  putFile(path: string, options?: { max_bytes?: number; signal?: AbortSignal }): Promise<BlobRef>
  /**
   * Streams the bytes; `size_bytes` is the whole blob's. A range is from `start` to `end`, both included, as in HTTP; past the end it is cut.
   * Throws not-found, and invalid for a range outside. A whole read ends in an error (kind internal, named corrupt) when the digest differs; a range checks the size only.
   */
  open(digest: string, range?: { start: number; end: number }): Promise<{ stream: Readable; size_bytes: number }>
  /** Whole content, for small things; throws too-large past `max_bytes` (default 16 MiB). */
  read(digest: string, max_bytes?: number): Promise<Uint8Array>
  stat(digest: string): Promise<{ size_bytes: number } | undefined>
  /** Copies (reflink or hard copy) to `path`, checking the digest. */
  materialise(digest: string, path: string): Promise<void>
  /** A path that other local processes (DuckDB, Python) may read: the bytes without our header. Held until `done()`. */
  lend(digest: string): Promise<{ path: string; done(): Promise<void> }>
  remove(digest: string): Promise<void>
  /** Re-reads everything; for `slipway doctor`. */
  verify(signal?: AbortSignal): AsyncIterable<{ digest: string; ok: boolean }>
}

export { type BlobsOptions, createBlobs } from './blobs.ts'
