import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { Empty, Loading, Problem } from '../../kit/condition.tsx'
import { count, plural } from '../../kit/format.ts'
import { useGo } from '../../kit/link.tsx'
import { paths } from '../../paths.ts'
import { useKeys } from '../../shell/keys.ts'
import { base as prefix } from '../../workspace.ts'
import { askOf, valuesOf } from './ask.ts'
import { attributeCell, NameCell, ValueCell } from './cells.tsx'
import { ATTRIBUTES, apiName, betterOf, isValue, kindOf, widthOf } from './columns.ts'
import { quoted, tableOnce } from './data.ts'
import { Grid, type GridColumn, type GridHandle } from './grid.tsx'
import { ColumnHead } from './head.tsx'
import { CHILDREN_MAX, type Placed, usePages, useRunList } from './rows.ts'
import styles from './runs.module.css'
import { useStable } from './stable.ts'
import { CHOSEN_MAX, COLORS, colorOf, type SetState, type TableState } from './state.ts'

const ROW_PX = 33
/** Below this the name alone stays in place, and is short. */
const NARROW_PX = 640

interface RunTableProps {
  experiments: readonly string[]
  columns: readonly string[]
  state: TableState
  set: SetState
  toFilter: () => void
}

/** Runs in rows, as many as there are; what is seen is fetched and drawn. */
export function RunTable({ experiments, columns, state, set, toFilter }: RunTableProps) {
  const go = useGo()
  const ask = useStable(askOf(experiments, columns, state))
  const pages = usePages(ask)
  const list = useRunList(pages, ask, state.nest, state.open)
  const { rowAt } = list
  const [cursor, setCursor] = useState(-1)
  const grid = useRef<GridHandle>(null)
  const isNarrow = useNarrow()
  const base = useQuery({
    ...tableOnce({
      experiments: [...experiments],
      filter: `attributes.run_id = ${quoted(state.base)}`,
      view: 'all',
      columns: ask.columns ?? [],
      limit: 1,
    }),
    enabled: state.base !== '',
  }).data?.rows?.[0]
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question begins at its first row
  useEffect(() => {
    setCursor(-1)
    grid.current?.toTop()
  }, [ask.filter, ask.order_by, ask.view])

  const chosen = useMemo(() => new Set(state.sel), [state.sel])
  const hidden = useMemo(() => new Set(state.hidden), [state.hidden])
  const latest = useRef({ state, rowAt, cursor, count: list.count })
  latest.current = { state, rowAt, cursor, count: list.count }

  const act = useCallback(
    (what: 'choose' | 'color' | 'hide' | 'expand', id: string) => {
      const { state: now } = latest.current
      const toggled = (ids: readonly string[]) => (ids.includes(id) ? ids.filter((each) => each !== id) : [...ids, id])
      if (what === 'choose') set({ sel: toggled(now.sel).slice(0, CHOSEN_MAX) })
      else if (what === 'hide') set({ hidden: toggled(now.hidden) })
      else if (what === 'expand') set({ open: toggled(now.open) })
      else set({ colors: { ...now.colors, [id]: (colorOf(id, now.colors) + 1) % COLORS } })
    },
    [set],
  )
  const open = (index: number, newTab = false) => {
    const id = rowAt(index)?.run.run_id
    if (!id) return
    if (newTab) window.open(prefix + paths.run(id), '_blank', 'noopener')
    else go(paths.run(id))
  }
  const onKey = (key: string, index: number): boolean => {
    const row = rowAt(index)
    if (!row) return false
    const { run_id } = row.run
    if (key === 'x' || key === ' ') act('choose', run_id)
    else if (key === 'Enter') open(index)
    else if (key === 'b') set({ base: state.base === run_id ? '' : run_id })
    else if (key === 'ArrowRight' && row.children && !row.isOpen) act('expand', run_id)
    else if (key === 'ArrowLeft' && row.isOpen) act('expand', run_id)
    else return false
    return true
  }
  const enter = () => {
    grid.current?.focus()
    if (cursor < 0) setCursor(0)
  }
  useKeys([
    { keys: '/', words: 'Filter the runs', run: toFilter },
    { keys: 'j', words: 'To the first run', run: enter },
    { keys: 'x', words: 'Choose the run for comparison, moving, deleting', run: () => onKey('x', Math.max(0, cursor)) },
    { keys: 'b', words: 'Take the run as the baseline', run: () => onKey('b', Math.max(0, cursor)) },
  ])

  const gridColumns = useMemo(() => {
    const values = valuesOf(columns)
    const head = (id: string) => (
      <ColumnHead id={id} columns={columns} state={state} set={set} sortable={apiName(id) !== undefined} />
    )
    const sortOf = (id: string) => {
      const found = state.order.find(({ column }) => column === id)
      return found && (found.descending ? ('descending' as const) : ('ascending' as const))
    }
    const name: GridColumn<Placed> = {
      id: 'name',
      width: isNarrow ? 190 : ATTRIBUTES.name!.width,
      fixed: true,
      sort: sortOf('name'),
      head: head('name'),
      cell: ({ run, depth, children, isOpen }) => (
        <NameCell
          run={run}
          depth={state.nest ? depth : 0}
          children_count={children}
          isOpen={isOpen}
          color={colorOf(run.run_id, state.colors)}
          isHidden={hidden.has(run.run_id)}
          isBase={run.run_id === state.base}
          isChosen={chosen.has(run.run_id)}
          compact={isNarrow}
          act={act}
        />
      ),
    }
    return [
      name,
      ...columns.map((id, at): GridColumn<Placed> => {
        const place = values.indexOf(id)
        const better = betterOf(id, state.better)
        return {
          id,
          width: widthOf(id, base !== undefined),
          fixed: at < state.pins && !isNarrow,
          ...((kindOf(id) === 'metric' || ['took', 'start', 'end'].includes(id)) && { align: 'right' as const }),
          sort: sortOf(id),
          head: head(id),
          cell: ({ run }) =>
            isValue(id) ? (
              <ValueCell
                id={id}
                cell={run.values[place]}
                base={run.run_id === state.base ? undefined : (base?.values[place] ?? undefined)}
                better={better}
              />
            ) : (
              attributeCell(id, run)
            ),
        }
      }),
    ]
  }, [columns, state, set, base, chosen, hidden, act, isNarrow])

  if (pages.first.error && !pages.first.data) return <Problem error={pages.first.error} retry={pages.first.retry} />
  if (!pages.first.data) return <Loading what="runs" lines={12} />
  return (
    <>
      {pages.first.error !== null && pages.first.error !== undefined && (
        <Problem error={pages.first.error} retry={pages.first.retry} inline />
      )}
      {pages.total === 0 ? (
        <NoRuns state={state} set={set} />
      ) : (
        <Grid
          label="Runs"
          count={list.count}
          row_px={ROW_PX}
          columns={gridColumns}
          rowAt={rowAt}
          onSeen={pages.onSeen}
          cursor={cursor}
          onCursor={setCursor}
          onKey={onKey}
          onOpen={open}
          isChosen={({ run }) => chosen.has(run.run_id)}
          stale={pages.first.stale}
          handle={grid}
        />
      )}
      <p className={styles.foot} role="status">
        {count(pages.total)} {pages.total === 1 ? 'run' : 'runs'}
        {state.nest && ' without a parent'}
        {pages.first.data.total_capped && ' or more'}
        {state.sel.length > 0 && `, ${plural(state.sel.length, 'run')} chosen`}
        {state.open.length > 0 && state.nest && `, at most ${CHILDREN_MAX} shown below each`}
      </p>
    </>
  )
}

function NoRuns({ state, set }: { state: TableState; set: SetState }) {
  if (state.filter)
    return (
      <Empty
        title="No run is like this"
        action={
          <button type="button" className={styles.plainButton} onClick={() => set({ filter: '' })}>
            Take the filter away
          </button>
        }
      >
        <code>{state.filter}</code>
      </Empty>
    )
  if (state.show === 'deleted') return <Empty title="No run is deleted" />
  return <Empty title="No run yet" command={`MLFLOW_TRACKING_URI=${location.origin} python train.py`} />
}

function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => window.innerWidth < NARROW_PX)
  useEffect(() => {
    const look = () => setNarrow(window.innerWidth < NARROW_PX)
    window.addEventListener('resize', look)
    return () => window.removeEventListener('resize', look)
  }, [])
  return isNarrow
}
