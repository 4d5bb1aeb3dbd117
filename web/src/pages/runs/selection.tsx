import { Button, Select } from '@mantine/core'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { q } from '../../api/queries.ts'
import { Problem } from '../../kit/condition.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { plural } from '../../kit/format.ts'
import { useGo } from '../../kit/link.tsx'
import { paths } from '../../paths.ts'
import { chartsHref } from './charts-link.ts'
import { packRuns } from './run-ids.ts'
import styles from './runs.module.css'
import { CHOSEN_MAX, type SetState, type TableState } from './state.ts'

const V1 = '/api/slipway/v1'
/** Runs that are deleted or restored at the same time. */
const AT_ONCE = 6

type Doing = 'move' | 'copy' | 'delete' | 'restore' | undefined

/** What can be done with the chosen runs. */
export function Selection({ state, set }: { state: TableState; set: SetState }) {
  const go = useGo()
  const [doing, setDoing] = useState<Doing>()
  const { sel } = state
  if (sel.length === 0) return null
  const close = () => setDoing(undefined)
  return (
    // biome-ignore lint/a11y/useSemanticElements: a row of buttons is no set of fields
    <div className={styles.chosen} role="group" aria-label="Chosen runs">
      <strong>{plural(sel.length, 'run')} chosen</strong>
      {sel.length === CHOSEN_MAX && <span className="muted small">no more at once</span>}
      <Button variant="filled" disabled={sel.length < 2} onClick={() => go(paths.compareRuns([packRuns(sel)]))}>
        Compare
      </Button>
      <Button onClick={() => go(chartsHref(sel, state))}>Charts</Button>
      {sel.length === 1 && <Button onClick={() => set({ base: sel[0]!, sel: [] })}>Take as baseline</Button>}
      <Button onClick={() => setDoing('move')}>Move</Button>
      <Button onClick={() => setDoing('copy')}>Copy</Button>
      {state.show !== 'deleted' && <Button onClick={() => setDoing('delete')}>Delete</Button>}
      {state.show !== 'active' && <Button onClick={() => setDoing('restore')}>Restore</Button>}
      <Button variant="subtle" onClick={() => set({ sel: [] })}>
        Choose none
      </Button>
      {(doing === 'move' || doing === 'copy') && <Take how={doing} sel={sel} set={set} onClose={close} />}
      {(doing === 'delete' || doing === 'restore') && <Confirm how={doing} sel={sel} set={set} onClose={close} />}
    </div>
  )
}

interface DialogProps<H> {
  how: H
  sel: readonly string[]
  set: SetState
  onClose: () => void
}

/** To another experiment, all of them or none. */
function Take({ how, sel, set, onClose }: DialogProps<'move' | 'copy'>) {
  const client = useQueryClient()
  const go = useGo()
  const experiments = useInfiniteQuery(q.experiments())
  const [to, setTo] = useState<string | null>(null)
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const known = experiments.data?.pages.flatMap(({ items }) => items) ?? []
  const word = how === 'move' ? 'Move' : 'Copy'
  const take = async () => {
    setBusy(true)
    setError(undefined)
    try {
      const body = { run_ids: [...sel], to_experiment: to! }
      if (how === 'move') await api.POST(`${V1}/runs/move`, { body })
      else await api.POST(`${V1}/runs/copy`, { body })
      await client.invalidateQueries({ queryKey: ['tracking'] })
      set({ sel: [] })
      onClose()
      go(paths.experiment(to!))
    } catch (problem) {
      setError(problem)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={`${word} ${plural(sel.length, 'run')}`} onClose={onClose}>
      <div className={styles.form}>
        <p className="soft">
          {how === 'move'
            ? 'Their metrics, params, tags and files go with them; their ids and addresses stay.'
            : 'Everything that was logged is copied to new runs; each says which run it came from.'}
        </p>
        <Select
          label="To the experiment"
          searchable
          data={known.map(({ experiment_id, name }) => ({ value: experiment_id, label: name }))}
          value={to}
          onChange={setTo}
          nothingFoundMessage="No experiment is called like this"
          limit={100}
          data-autofocus
        />
        {experiments.hasNextPage && (
          <Button loading={experiments.isFetchingNextPage} onClick={() => void experiments.fetchNextPage()}>
            More experiments
          </Button>
        )}
        {error !== undefined && <Problem error={error} inline />}
        <div className="row">
          <Button variant="filled" size="sm" disabled={!to} loading={busy} onClick={() => void take()}>
            {word} them
          </Button>
          <Button size="sm" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </div>
    </Dialog>
  )
}

/** One by one: each that can be is deleted or restored, the others stay chosen and it is said why. */
function Confirm({ how, sel, set, onClose }: DialogProps<'delete' | 'restore'>) {
  const client = useQueryClient()
  const [failed, setFailed] = useState<{ error: unknown; ids: string[] }>()
  const [busy, setBusy] = useState(false)
  const word = how === 'delete' ? 'Delete' : 'Restore'
  const run = async () => {
    setBusy(true)
    const waiting = [...sel]
    const left: string[] = []
    let error: unknown
    const work = async () => {
      for (let run_id = waiting.shift(); run_id !== undefined; run_id = waiting.shift()) {
        const params = { path: { run_id } }
        try {
          if (how === 'delete') await api.DELETE(`${V1}/runs/{run_id}`, { params })
          else await api.POST(`${V1}/runs/{run_id}/restore`, { params })
        } catch (problem) {
          left.push(run_id)
          error ??= problem
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    await client.invalidateQueries({ queryKey: ['tracking'] })
    setBusy(false)
    set({ sel: left })
    if (left.length > 0) setFailed({ error, ids: left })
    else onClose()
  }
  return (
    <Dialog title={`${word} ${plural(sel.length, 'run')}?`} onClose={onClose}>
      <div className={styles.form}>
        <p className="soft">
          {how === 'delete'
            ? 'They leave the table, and can be restored under “Deleted runs”.'
            : 'They come back as they were.'}
        </p>
        {failed && (
          <>
            <p>{plural(failed.ids.length, 'run')} could not be changed. The first answer was:</p>
            <Problem error={failed.error} inline />
          </>
        )}
        <div className="row">
          <Button
            variant="filled"
            size="sm"
            {...(how === 'delete' && { color: 'red' })}
            loading={busy}
            onClick={() => void run()}
          >
            {word} them
          </Button>
          <Button size="sm" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </div>
    </Dialog>
  )
}
