/** What a live release stands on stays as it is. Asked by commands, which run beside the database with nothing handed in. */
import { systemClock } from '#kernel/clock.ts'
import { createHolds } from '#kernel/holds/index.ts'
import type { Tx } from '#kernel/store/index.ts'

// The clock stamps holds that are placed; here they are only asked.
const holds = createHolds({ clock: systemClock })

/** Throws conflict naming the holders. */
export const refuseIfHeld = (tx: Tx, workspace: string, kind: 'run' | 'logged-model', id: string): Promise<void> =>
  holds.refuseIfHeld(tx, workspace, [{ kind, id }], `change ${kind === 'run' ? 'run' : 'logged model'} ${id}`)
