/** All that a person arranged in the run table, as fields of the address: short, and the same whichever way it is read. */
import { useLocation, useRouter } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { type Better, isKnown } from './columns.ts'
import { packRuns, unpackRuns } from './run-ids.ts'

export interface Sort {
  column: string
  descending: boolean
}

export interface TableState {
  filter: string
  /** Newest first when empty. */
  order: Sort[]
  /** Undefined: the table chooses. */
  columns: string[] | undefined
  /** So many of the columns stay in place beside the name when the others scroll. */
  pins: number
  group: string[]
  /** Run that the others are compared with. */
  base: string
  better: Record<string, Better>
  show: 'active' | 'deleted' | 'all'
  /** Only runs without a parent; their children open below them. */
  nest: boolean
  open: string[]
  /** Chosen runs. */
  sel: string[]
  /** Left out of charts. */
  hidden: string[]
  /** Colours that were changed, by run: 0 to 7. */
  colors: Record<string, number>
  /** Other experiments in the same table. */
  also: string[]
  /** The saved view that this began from. */
  view: string
}

export const SORTS_MAX = 5
export const GROUPS_MAX = 3
export const COLUMNS_MAX = 200
export const CHOSEN_MAX = 500
export const COLORS = 8

/** A star is the one separator that an address keeps as it is. */
const SEPARATOR = '*'
const escaped = (item: string) => item.replace(/[%*]/g, (sign) => (sign === '%' ? '%25' : '%2A'))
const list = (items: readonly string[]) => items.map(escaped).join(SEPARATOR)
const unlist = (text: string | null): string[] =>
  (text ?? '')
    .split(SEPARATOR)
    .filter(Boolean)
    .map((item) => item.replace(/%(25|2A)/g, (_, code: string) => (code === '25' ? '%' : '*')))
const unique = (items: string[]) => [...new Set(items)]

const BETTER: Record<string, Better> = { u: 'up', d: 'down', n: 'none' }
const SHOWS = ['active', 'deleted', 'all'] as const

export function readState(search: string): TableState {
  const fields = new URLSearchParams(search)
  const text = (key: string) => fields.get(key) ?? ''
  const columns = fields.get('columns')
  return {
    filter: text('filter'),
    order: unlist(fields.get('order'))
      .slice(0, SORTS_MAX)
      .map((item) => ({ column: item.replace(/^-/, ''), descending: item.startsWith('-') }))
      .filter(({ column }) => isKnown(column)),
    columns: columns === null ? undefined : unique(unlist(columns)).filter(isKnown).slice(0, COLUMNS_MAX),
    pins: Math.max(0, Number.parseInt(text('pins'), 10) || 0),
    group: unique(unlist(fields.get('group')))
      .filter(isKnown)
      .slice(0, GROUPS_MAX),
    base: text('base'),
    better: Object.fromEntries(
      unlist(fields.get('better')).flatMap((item) => (BETTER[item[0]!] ? [[item.slice(1), BETTER[item[0]!]!]] : [])),
    ),
    show: SHOWS.find((each) => each === text('show')) ?? 'active',
    nest: text('nest') === '1',
    open: unpackRuns(text('open')),
    sel: unpackRuns(text('sel')).slice(0, CHOSEN_MAX),
    hidden: unpackRuns(text('hidden')),
    colors: Object.fromEntries(
      unlist(fields.get('colors')).flatMap((item) => {
        const color = Number(item[0])
        return color >= 0 && color < COLORS ? [[item.slice(1), color]] : []
      }),
    ),
    also: unique(unlist(fields.get('also'))).filter((id) => /^\d{1,15}$/.test(id)),
    view: text('view'),
  }
}

/** The fields of the address for a state; what is as it is without them is left out. Other fields stay. */
export function writeState(state: TableState, search = ''): string {
  const fields = new URLSearchParams(search)
  const put = (key: string, value: string | undefined) =>
    value === undefined || value === '' ? fields.delete(key) : fields.set(key, value)
  put('filter', state.filter)
  put('order', list(state.order.map(({ column, descending }) => `${descending ? '-' : ''}${column}`)))
  if (state.columns?.length === 0) fields.set('columns', '')
  else put('columns', state.columns && list(state.columns))
  put('pins', state.pins > 0 ? String(state.pins) : '')
  put('group', list(state.group))
  put('base', state.base)
  put('better', list(Object.entries(state.better).map(([column, way]) => `${way[0]}${column}`)))
  put('show', state.show === 'active' ? '' : state.show)
  put('nest', state.nest ? '1' : '')
  put('open', packRuns(state.open))
  put('sel', packRuns(state.sel))
  put('hidden', packRuns(state.hidden))
  put('colors', list(Object.entries(state.colors).map(([run, color]) => `${color}${run}`)))
  put('also', list(state.also))
  put('view', state.view)
  return fields.toString()
}

export type SetState = (patch: Partial<TableState>, how?: { push?: boolean }) => void

export function useTableState(): [TableState, SetState] {
  const router = useRouter()
  const { searchStr } = useLocation()
  const state = useMemo(() => readState(searchStr), [searchStr])
  const set = useCallback<SetState>(
    (patch, how = {}) => {
      // Of the router, not of the window: that one lags behind when two fields are set in one go.
      const { pathname, search } = router.history.location
      const next = writeState({ ...readState(search), ...patch }, search)
      const href = next ? `${pathname}?${next}` : pathname
      if (how.push) router.history.push(href)
      else router.history.replace(href)
    },
    [router],
  )
  return [state, set]
}

/** The colour of a run, 0 to 7: by its id, so that it is the same on every page, unless somebody chose another. */
export function colorOf(run_id: string, colors: Readonly<Record<string, number>>): number {
  if (colors[run_id] !== undefined) return colors[run_id]
  let sum = 0
  for (let at = 0; at < run_id.length; at++) sum = (sum * 31 + run_id.charCodeAt(at)) >>> 0
  return sum % COLORS
}
export const colorVar = (color: number): string => `var(--s${color + 1})`
