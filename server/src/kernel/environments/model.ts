/** What the parts of this folder say to each other and to the world. */

export interface EnvironmentSpec {
  /** `3.11`, `3.12`, `3.13`, an exact `3.11.7` (another patch release serves when that one is missing), or the path of an interpreter. Missing: the first suitable one found. */
  python?: string | undefined
  /** Text of a requirements file in which every line is `name==version`; markers and hashes may follow, URLs and options may not. */
  lock: string
  /** What our own tools need beside the lock, pinned like it. Where the lock names the package, the lock's version wins. */
  extras?: readonly string[] | undefined
  /** Where lock and extras cannot be installed together, the environment of the lock alone is answered. */
  extras_optional?: boolean | undefined
}

export interface Environment {
  /** First 32 hex digits of the SHA-256 of everything that decides the content. */
  key: string
  /** Path of the interpreter inside the environment. */
  python: string
  /** `x.y.z`. */
  python_version: string
  /** Installed distributions by normalised name (`scikit-learn`). */
  packages: Readonly<Record<string, string>>
  dir: string
}

export interface EnvironmentListing {
  key: string
  dir: string
  python_version: string
  package_count: number
  size_bytes: number
  built_ms: number
  last_used_ms: number
  /** Processes that run in it now, started by this server. */
  running: number
}

export interface Progress {
  stage: 'waiting' | 'python' | 'tool' | 'install' | 'finish'
  /** One sentence for people. */
  words: string
}

export interface EnsureOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface Environments {
  /**
   * Makes the environment or answers the one that exists; no network in the second case. One build at a time per key, over all
   * processes of this machine. Throws invalid (the lock cannot be met or is malformed), unavailable (no suitable Python, no
   * network, offline), conflict never; an abort of `signal` rejects with its reason.
   */
  ensure(spec: EnvironmentSpec, options?: EnsureOptions): Promise<Environment>
  list(): Promise<EnvironmentListing[]>
  /** Throws not-found, and conflict while a process of this server runs in it. */
  remove(key: string): Promise<void>
}

/** What is kept inside a built environment; without this file a folder does not count. */
export interface Manifest {
  format: 1
  key: string
  python: { version: string; executable: string }
  platform: string
  lock: string[]
  extras: string[]
  tool: string
  packages: Record<string, string>
  size_bytes: number
  built_ms: number
  seconds: number
}

export const MANIFEST = 'slipway-environment.json'
