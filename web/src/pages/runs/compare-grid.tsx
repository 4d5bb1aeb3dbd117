import { useMemo, useState } from 'react'
import { A } from '../../kit/link.tsx'
import { State } from '../../kit/state.tsx'
import { paths } from '../../paths.ts'
import { useKeys } from '../../shell/keys.ts'
import { Delta, numberOf } from './cells.tsx'
import { betterOf } from './columns.ts'
import styles from './compare.module.css'
import type { Line, Run } from './compare-table.ts'
import type { Comparison } from './data.ts'
import { Grid, type GridColumn } from './grid.tsx'
import head from './head.module.css'
import { sorted } from './head.tsx'
import { colorOf, colorVar, type SetState, type TableState } from './state.ts'

const ROW_PX = 33
const KEY_PX = 220
const RUN_PX = 168
const nothing = () => {}

interface CompareGridProps {
  data: Comparison
  lines: readonly Line[]
  /** Places of the runs, in the order in which they are shown. */
  order: readonly number[]
  /** Runs in rows, keys in columns. */
  isTurned: boolean
  state: TableState
  set: SetState
}

/** The comparison with keys in rows and runs in columns, or the other way round; only what is seen is drawn. */
export function CompareGrid({ data, lines, order, isTurned, state, set }: CompareGridProps) {
  const [cursor, setCursor] = useState(-1)
  const { runs } = data
  const base = runs.findIndex(({ run_id }) => run_id === state.base)
  const columns = useMemo(() => {
    const value = (line: Line, place: number) => <Value line={line} place={place} base={base} state={state} />
    const runHead = (run: Run) => <RunName run={run} state={state} set={set} />
    const keyHead = (line: Line) => {
      const found = state.order.find(({ column }) => column === line.id)
      return (
        <button
          type="button"
          tabIndex={-1}
          className={head.sort}
          title={`${line.area} ${line.key}: order the runs by it`}
          onClick={() => set({ order: sorted(state.order, line.id, false) })}
        >
          <span className={head.label}>{line.key}</span>
          {found && <span className={head.arrow}>{found.descending ? '↓' : '↑'}</span>}
        </button>
      )
    }
    if (isTurned)
      return [
        { id: 'run', width: KEY_PX, fixed: true, head: 'Run', cell: (place: number) => runHead(runs[place]!) },
        ...lines.map(
          (line): GridColumn<number> => ({
            id: line.id,
            width: base >= 0 ? 190 : Math.max(110, 30 + line.key.length * 7.4),
            fixed: false,
            ...(line.area === 'metric' && { align: 'right' as const }),
            head: keyHead(line),
            cell: (place) => value(line, place),
          }),
        ),
      ]
    return [
      {
        id: 'key',
        width: KEY_PX,
        fixed: true,
        head: 'Key',
        cell: (at: number) => (
          <span className={styles.key} data-same={!lines[at]!.differs || undefined}>
            {keyHead(lines[at]!)}
            <small>{lines[at]!.area}</small>
          </span>
        ),
      },
      ...order.map(
        (place): GridColumn<number> => ({
          id: runs[place]!.run_id,
          width: base >= 0 ? 190 : RUN_PX,
          fixed: false,
          head: runHead(runs[place]!),
          cell: (at) => value(lines[at]!, place),
        }),
      ),
    ]
  }, [runs, lines, order, isTurned, base, state, set])
  const rowAt = (index: number) => (isTurned ? order[index] : lines[index] && index)
  useKeys([{ keys: 'j', words: 'To the first row', run: () => setCursor(0) }])
  return (
    <Grid
      label={isTurned ? 'Runs in rows, keys in columns' : 'Keys in rows, runs in columns'}
      count={isTurned ? order.length : lines.length}
      row_px={ROW_PX}
      columns={columns}
      rowAt={rowAt}
      onSeen={nothing}
      cursor={cursor}
      onCursor={setCursor}
      onKey={() => false}
      onOpen={nothing}
    />
  )
}

function Value({ line, place, base, state }: { line: Line; place: number; base: number; state: TableState }) {
  const cell = line.values[place]
  if (cell === null || cell === undefined) return <span className="muted">–</span>
  return (
    <>
      <span title={String(cell)} data-same={!line.differs || undefined} className={styles.value}>
        {line.words[place]}
      </span>
      {base >= 0 && base !== place && line.area !== 'tag' && (
        <Delta value={numberOf(cell)} base={numberOf(line.values[base])} better={betterOf(line.id, state.better)} />
      )}
    </>
  )
}

function RunName({ run, state, set }: { run: Run; state: TableState; set: SetState }) {
  const isBase = run.run_id === state.base
  return (
    <span className={styles.run}>
      <i style={{ background: colorVar(colorOf(run.run_id, state.colors)) }} />
      <A href={paths.run(run.run_id)} title={run.name} tabIndex={-1}>
        {run.name}
      </A>
      {run.status !== 'FINISHED' && <State value={run.status} />}
      <button
        type="button"
        tabIndex={-1}
        aria-pressed={isBase}
        aria-label={`Compare the others with ${run.name}`}
        title={isBase ? 'The baseline' : 'Take as baseline'}
        onClick={() => set({ base: isBase ? '' : run.run_id })}
      >
        ±
      </button>
    </span>
  )
}
