import { Button, Menu } from '@mantine/core'
import { IconChartLine, IconDownload, IconEye, IconStack2, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { Problem } from '../../kit/condition.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { A, useGo } from '../../kit/link.tsx'
import { paths } from '../../paths.ts'
import { askOf } from './ask.ts'
import { apiName, labelOf } from './columns.ts'
import { quoted, tableOnce } from './data.ts'
import styles from './runs.module.css'
import { GROUPS_MAX, type SetState, type TableState } from './state.ts'

interface ToolProps {
  experiments: readonly string[]
  columns: readonly string[]
  state: TableState
  set: SetState
}

const SHOWS = [
  ['active', 'Active runs'],
  ['deleted', 'Deleted runs'],
  ['all', 'All runs'],
] as const

/** Which runs: those that are there, those that were deleted; with their children below them. */
export function ShowMenu({ state, set }: Pick<ToolProps, 'state' | 'set'>) {
  return (
    <Menu position="bottom-end" width={230}>
      <Menu.Target>
        <Button size="sm" leftSection={<IconEye size={15} />}>
          {SHOWS.find(([show]) => show === state.show)![1]}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {SHOWS.map(([show, words]) => (
          <Menu.RadioItem
            key={show}
            value={show}
            checked={state.show === show}
            closeMenuOnClick
            onChange={() => set({ show, sel: [] })}
          >
            {words}
          </Menu.RadioItem>
        ))}
        <Menu.Divider />
        <Menu.CheckboxItem checked={state.nest} onChange={(nest) => set({ nest, open: [] })}>
          Children below their parents
        </Menu.CheckboxItem>
      </Menu.Dropdown>
    </Menu>
  )
}

/** Up to three of the columns that are shown. */
export function GroupMenu({ columns, state, set }: Omit<ToolProps, 'experiments'>) {
  const offered = [...new Set([...state.group, ...columns])].filter(
    (id) => apiName(id) && id !== 'start' && id !== 'end',
  )
  const toggle = (id: string) =>
    set({ group: state.group.includes(id) ? state.group.filter((each) => each !== id) : [...state.group, id], sel: [] })
  return (
    <Menu position="bottom-end" width={240} closeOnItemClick={false}>
      <Menu.Target>
        <Button size="sm" leftSection={<IconStack2 size={15} />}>
          Group
        </Button>
      </Menu.Target>
      <Menu.Dropdown className={styles.tall!}>
        <Menu.Label>By up to {GROUPS_MAX} of the columns shown</Menu.Label>
        {offered.map((id) => (
          <Menu.CheckboxItem
            key={id}
            checked={state.group.includes(id)}
            disabled={!state.group.includes(id) && state.group.length >= GROUPS_MAX}
            onChange={() => toggle(id)}
          >
            {labelOf(id)}
          </Menu.CheckboxItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

/** The rows as they are filtered and ordered, with the columns shown, as a file. */
export function CsvButton({ experiments, columns, state }: Omit<ToolProps, 'set'>) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const save = async () => {
    setBusy(true)
    try {
      const body = askOf(experiments, columns, { ...state, group: [], nest: false })
      const { data } = await api.POST('/api/slipway/v1/runs/table.csv', { body, parseAs: 'blob' })
      const link = document.createElement('a')
      link.href = URL.createObjectURL(data as Blob)
      link.download = 'runs.csv'
      link.click()
      window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
    } catch (problem) {
      setError(problem)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <Button size="sm" leftSection={<IconDownload size={15} />} loading={busy} onClick={() => void save()}>
        CSV
      </Button>
      {error !== undefined && (
        <Dialog title="CSV" onClose={() => setError(undefined)}>
          <Problem error={error} inline />
        </Dialog>
      )}
    </>
  )
}

/** What the table is arranged by beside its filter: each can be taken away. */
export function Said({ experiments, state, set }: Omit<ToolProps, 'columns'>) {
  const base = useQuery({
    ...tableOnce({
      experiments: [...experiments],
      filter: `attributes.run_id = ${quoted(state.base)}`,
      view: 'all',
      limit: 1,
    }),
    enabled: state.base !== '',
  })
  if (!state.base && state.group.length === 0 && state.order.length < 2) return null
  const name = base.data?.rows?.[0]?.name
  return (
    <p className={styles.said}>
      {state.group.length > 0 && (
        <span>
          Grouped by {state.group.map(labelOf).join(', ')}
          <Away words="Do not group" onClick={() => set({ group: [] })} />
        </span>
      )}
      {state.order.length > 1 && (
        <span>
          Ordered by{' '}
          {state.order.map(({ column, descending }) => `${labelOf(column)} ${descending ? '↓' : '↑'}`).join(', ')}
          <Away words="Newest first again" onClick={() => set({ order: [] })} />
        </span>
      )}
      {state.base && state.group.length === 0 && (
        <span>
          Compared with{' '}
          {name ? <A href={paths.run(state.base)}>{name}</A> : base.isSuccess ? 'a run that is not here' : '…'}
          <Away words="No baseline" onClick={() => set({ base: '' })} />
        </span>
      )}
    </p>
  )
}

/** Curves of the runs that the filter leaves, and what they were made with against what came out. */
export function ChartsButton({ experiment, filter }: { experiment: string; filter: string }) {
  const go = useGo()
  return (
    <Button
      size="sm"
      leftSection={<IconChartLine size={15} />}
      onClick={() => go(paths.charts({ experiment, filter }))}
    >
      Charts
    </Button>
  )
}

function Away({ words, onClick }: { words: string; onClick: () => void }) {
  return (
    <button type="button" className={styles.away} aria-label={words} title={words} onClick={onClick}>
      <IconX size={13} />
    </button>
  )
}
