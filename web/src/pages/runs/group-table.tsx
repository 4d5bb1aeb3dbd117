import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { Empty, Loading, Problem } from '../../kit/condition.tsx'
import { count, measure, NONE } from '../../kit/format.ts'
import { State } from '../../kit/state.tsx'
import { askOf, valuesOf } from './ask.ts'
import { cellText } from './cells.tsx'
import { apiName, kindOf, labelOf } from './columns.ts'
import { type Group, PAGE_ROWS } from './data.ts'
import { also, type Condition, type Entity, type Filter, parseFilter, printFilter } from './filter.ts'
import { Grid, type GridColumn, type GridHandle } from './grid.tsx'
import { ColumnHead } from './head.tsx'
import { usePages } from './rows.ts'
import styles from './runs.module.css'
import { useStable } from './stable.ts'
import type { SetState, TableState } from './state.ts'

const GROUP_ROW_PX = 46

interface GroupTableProps {
  experiments: readonly string[]
  columns: readonly string[]
  state: TableState
  set: SetState
}

/** Runs by the values of some columns: how many, and mean, least and greatest of each number. */
export function GroupTable({ experiments, columns, state, set }: GroupTableProps) {
  const numbers = useMemo(() => valuesOf(columns).filter((id) => !state.group.includes(id)), [columns, state.group])
  const ask = useStable(askOf(experiments, numbers, state))
  const pages = usePages(ask)
  const grid = useRef<GridHandle>(null)
  const [cursor, setCursor] = useState(-1)
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question begins at its first row
  useEffect(() => {
    setCursor(-1)
    grid.current?.toTop()
  }, [ask])
  const rowAt = useCallback(
    (index: number): Group | undefined => pages.known.get(Math.floor(index / PAGE_ROWS))?.groups?.[index % PAGE_ROWS],
    [pages.known],
  )
  const open = (index: number) => {
    const row = rowAt(index)
    const filter = row && within(state, row)
    if (filter !== undefined) set({ filter, group: [] }, { push: true })
  }
  const gridColumns = useMemo(() => {
    const head = (id: string) => (
      <ColumnHead id={id} columns={columns} state={state} set={set} sortable={apiName(id) !== undefined} />
    )
    const sortOf = (id: string) => {
      const found = state.order.find(({ column }) => column === id)
      return found && (found.descending ? ('descending' as const) : ('ascending' as const))
    }
    return [
      ...state.group.map(
        (id, at): GridColumn<Group> => ({
          id,
          width: 180,
          fixed: at === 0,
          sort: sortOf(id),
          head: head(id),
          cell: ({ key }) =>
            key[at] === null ? (
              <span className="muted">{NONE} none</span>
            ) : id === 'status' ? (
              <State value={String(key[at])} />
            ) : (
              <b className={styles.groupKey}>{cellText(key[at])}</b>
            ),
        }),
      ),
      {
        id: 'runs',
        width: 84,
        fixed: false,
        align: 'right' as const,
        head: 'Runs',
        cell: ({ runs }: Group) => count(runs),
      },
      ...numbers.map(
        (id, at): GridColumn<Group> => ({
          id,
          width: Math.max(150, 44 + labelOf(id).length * 7.4),
          fixed: false,
          align: 'right',
          sort: sortOf(id),
          head: head(id),
          cell: ({ aggregates }) => {
            const found = aggregates[at]
            if (!found) return <span className="muted">{NONE}</span>
            return (
              <span className={styles.aggregate}>
                <span title="mean">{measure(found.mean)}</span>
                <small title="least and greatest">
                  {measure(found.min)} … {measure(found.max)}
                </small>
              </span>
            )
          },
        }),
      ),
    ]
  }, [columns, numbers, state, set])

  if (pages.first.error && !pages.first.data) return <Problem error={pages.first.error} retry={pages.first.retry} />
  if (!pages.first.data?.groups) return <Loading what="groups" lines={8} />
  if (pages.total === 0) return <Empty title={state.filter ? 'No run is like this' : 'No run to group'} />
  return (
    <>
      <Grid
        label="Groups of runs"
        count={pages.total}
        row_px={GROUP_ROW_PX}
        columns={gridColumns}
        rowAt={rowAt}
        onSeen={pages.onSeen}
        cursor={cursor}
        onCursor={setCursor}
        onKey={(key, index) => {
          if (key === 'Enter') open(index)
          return key === 'Enter'
        }}
        onOpen={open}
        stale={pages.first.stale}
        handle={grid}
      />
      <p className={styles.foot} role="status">
        {count(pages.total)} {pages.total === 1 ? 'group' : 'groups'}. Mean, below it the least and greatest. A group
        opens its runs.
      </p>
    </>
  )
}

const ENTITIES: Record<string, Entity> = { metric: 'metrics', param: 'params', tag: 'tags' }
const ATTRIBUTE_KEYS: Record<string, string> = {
  name: 'run_name',
  user: 'user_id',
  start: 'start_time',
  end: 'end_time',
}

/** The filter that a group's runs fulfil; undefined where the language has no word for it. */
function within({ filter, group }: TableState, { key }: Group): string | undefined {
  const conditions = group.map((id, at): Condition | undefined => {
    const kind = kindOf(id)
    const value = key[at] ?? null
    if (kind === 'metric' && typeof value === 'string') return undefined
    return {
      kind: 'condition',
      entity: ENTITIES[kind] ?? 'attributes',
      key: kind === 'attribute' ? (ATTRIBUTE_KEYS[id] ?? id) : id.slice(2),
      operator: value === null ? 'IS NULL' : '=',
      value,
    }
  })
  if (conditions.includes(undefined)) return undefined
  const parsed = parseFilter(filter)
  const own = conditions as Condition[]
  if (parsed === null) return `(${filter}) AND ${own.map(printFilter).join(' AND ')}`
  return printFilter(own.reduce<Filter | undefined>((all, each) => also(all, each), parsed))
}
