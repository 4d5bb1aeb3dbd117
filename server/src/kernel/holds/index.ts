/** Who stands on what: every delete asks. So lower slices protect what only higher ones know. */
import type { Subject } from '../events/index.ts'
import type { Sql, Tx } from '../store/index.ts'

export interface Hold {
  workspace: string
  subject: Subject
  /** Who holds: a release, most often. */
  by: Subject
  /** For people: `release rel_… serves endpoint flights`. Shown in the error of a refused delete. */
  reason: string
  placed_ms: number
}

export interface Holds {
  /** Placing the same hold twice is placing it once. Locks the subject first. */
  place(tx: Tx, workspace: string, subject: Subject, by: Subject, reason: string): Promise<void>
  /** Lets go of everything that `by` holds. */
  release(tx: Tx, workspace: string, by: Subject): Promise<void>
  on(sql: Sql, workspace: string, subject: Subject): Promise<Hold[]>
  /**
   * Locks the subjects, then throws conflict naming the holders when any is held. `what` finishes the sentence
   * "cannot … because": `delete model version churn/3`.
   */
  refuseIfHeld(tx: Tx, workspace: string, subjects: readonly Subject[], what: string): Promise<void>
}

export { createHolds, holdsMigrations } from './holds.ts'
