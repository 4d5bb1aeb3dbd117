/**
 * What happened, told once. An event is written in the transaction of the change it tells of; it is the audit row, and
 * beside it stand its lineage edges and one delivery for each subscriber. If it cannot be written, the change does not happen.
 */
import type { Permission, Who } from '../http/who.ts'
import type { Sql, Tx } from '../store/index.ts'
import type { DeadDelivery } from './subscriptions.ts'

/** A thing that events, holds and lineage speak of: `{ kind: 'model-version', id: 'churn/3' }`. */
export interface Subject {
  kind: SubjectKind
  id: string
}

/** Ids: dataset version, run, logged model, pipeline run, … by their own id; a model version `<model>/<version>`; an endpoint or model by name. */
export type SubjectKind =
  | 'workspace'
  | 'person'
  | 'token'
  | 'project'
  | 'dataset'
  | 'dataset-version'
  | 'verdict'
  | 'experiment'
  | 'run'
  | 'logged-model'
  | 'model'
  | 'model-version'
  | 'pipeline'
  | 'pipeline-run'
  | 'step-run'
  | 'code'
  | 'endpoint'
  | 'revision'
  | 'preparation'
  | 'prediction'
  | 'release'
  | 'monitor'
  | 'alert'
  | 'explanation'
  | 'job'
  | 'webhook'

/** A lineage edge: data flows `from` → `to`. */
export interface Edge {
  from: Subject
  to: Subject
  /** `input`, `output`, `trained`, `registered`, `served-by`, `gated-by`, `labelled`, `derived`, `part-of`, `caused`. */
  relation: string
}

/** A kind of event and the type of what it carries. Names are `<slice>.<thing>-<past tense>`. */
export interface EventType<After> {
  readonly name: string
  /** One sentence for ARCHITECTURE.md's event table. */
  readonly about: string
  /** Never set: carries the type. */
  readonly after?: After
}

export const event = <After>(name: string, about: string): EventType<After> => ({ name, about })

export interface EventInput<After> {
  who: Who
  subject: Subject
  before?: unknown
  after: After
  reason?: string
  edges?: readonly Edge[]
}

export interface EventRecord<After = unknown> {
  /** Order of writing within the store. */
  seq: number
  id: string
  name: string
  workspace: string
  at_ms: number
  who: { kind: string; id: string; name: string; behalf?: { kind: string; id: string; name: string } }
  subject: Subject
  before: unknown
  after: After
  reason: string | null
}

/** Where a handler runs: in one transaction with the mark that it was delivered, so its writes happen exactly once. */
export type Handler<After> = (tx: Tx, who: Who, event: EventRecord<After>) => Promise<void>

export interface Events {
  record<After>(tx: Sql, type: EventType<After>, input: EventInput<After>): Promise<EventRecord<After>>
  /**
   * Subscribes before start(). Each subscriber gets its events in order, at least once, with backoff; a failing handler
   * delays only its own subscriber. `rights` are what the rule may do: its `who` is `rule:<subscriber>`.
   */
  on<After>(type: EventType<After>, subscriber: string, rights: readonly Permission[], handler: Handler<After>): void
  onAny(subscriber: string, rights: readonly Permission[], handler: Handler<unknown>): void
  /** All types that have been subscribed to, with who listens; for ARCHITECTURE.md. */
  describe(): { name: string; about: string; subscribers: string[] }[]
  /** Live feed of committed events for server-sent events; returns the way to stop. Lossy on purpose: readers refetch. */
  watch(listener: (event: EventRecord) => void): () => void
  /** Deliveries that still wait for their subscriber. */
  undelivered(sql: Sql, workspace: string): Promise<number>
  list(sql: Sql, workspace: string, filter: EventFilter): Promise<EventRecord[]>
  /** Deliveries parked after 20 failures, newest first, at most 200. */
  dead(sql: Sql, workspace: string): Promise<DeadDelivery[]>
  /** Gives a parked delivery a fresh set of tries. Throws not-found when it is not parked. */
  retry(tx: Tx, workspace: string, subscriber: string, seq: number): Promise<void>
  start(): Promise<void>
  /** Resolves when nothing waits for delivery; for tests. */
  idle(): Promise<void>
  stop(): Promise<void>
}

export interface EventFilter {
  id?: string
  subject?: Subject
  name_prefix?: string
  who_id?: string
  from_ms?: number
  to_ms?: number
  /** Only events with a smaller seq: newest first. */
  before_seq?: number
  limit: number
}

export { createEvents, deliveryRetried, eventCatalog, eventsMigrations } from './events.ts'
export { recordEvent } from './record.ts'
export { type ChainPoint, type ChainReport, eraseFields, type PersonalField, verifyChain } from './seal.ts'
export type { DeadDelivery } from './subscriptions.ts'
