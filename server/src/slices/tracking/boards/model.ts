import type { Integer, KeyValue, MetricInput, RunStatus } from '../model.ts'

export const BOARD_KINDS = ['histogram', 'text', 'image'] as const
export type BoardKind = (typeof BOARD_KINDS)[number]

/** What a run shows at a step beside numbers. */
export interface BoardRecord {
  kind: BoardKind
  tag: string
  step: Integer
  at_ms: number
  /** Of several under one tag and step, from 0. */
  position: number
  /** JSON: of a histogram `[[left, right, count], …]`, of a text `"…"`, of an image the digest of its bytes. */
  body: string
}

/** A file below a log folder. */
export interface BoardFile {
  /** Experiment's name; made when there is none. */
  experiment: string
  /** Folder of the file below the log folder, `.` for the log folder itself: the name of its run. */
  folder: string
  file: string
}

export interface BoardSource {
  folder: string
  file: string
  run_id: string
  taken_bytes: number
  damage: string | null
}

/** What the bytes from `from` to `to` of a file say. */
export interface BoardPart extends BoardFile {
  from: number
  to: number
  /** What the reader has to remember for the bytes behind. */
  memory: string
  damage?: string
  /** Before anything else: what was logged from this step on is taken out. */
  restart_at?: Integer
  metrics: MetricInput[]
  params: KeyValue[]
  records: BoardRecord[]
  status?: RunStatus
  /** When the first and last of these things happened. */
  span_ms?: [number, number]
}

export interface BoardTaken {
  run_id: string
  /** Bytes of the file that are in. Other than `to` when somebody else was faster: go on from there. */
  taken_bytes: number
  memory: string
}

export const BOARD_LIMITS = {
  folder_chars: 500,
  file_chars: 250,
  tag_chars: 500,
  /** Of one histogram or text. */
  body_chars: 256 * 1024,
  memory_chars: 256 * 1024,
  /** Entries taken in by one transaction. */
  part_entries: 5000,
  files: 10_000,
  tags: 1000,
} as const
