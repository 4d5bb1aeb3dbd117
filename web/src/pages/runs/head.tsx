import { Menu } from '@mantine/core'
import { IconDots } from '@tabler/icons-react'
import { type Better, betterOf, kindOf, labelOf } from './columns.ts'
import styles from './head.module.css'
import { GROUPS_MAX, type SetState, SORTS_MAX, type Sort, type TableState } from './state.ts'

interface HeadProps {
  id: string
  /** As the table shows them, whether or not the address names them. */
  columns: readonly string[]
  state: TableState
  set: SetState
  sortable: boolean
}

/** The order after a click on a column: down, up, none; with Shift beside the columns that are there. */
export function sorted(order: readonly Sort[], column: string, beside: boolean): Sort[] {
  const at = order.findIndex((each) => each.column === column)
  const found = order[at]
  const next: Sort[] = !found ? [{ column, descending: true }] : found.descending ? [{ column, descending: false }] : []
  if (!beside) return next
  if (at < 0) return [...order, ...next].slice(-SORTS_MAX)
  return [...order.slice(0, at), ...next, ...order.slice(at + 1)]
}

/** Name of a column: a click orders by it, its menu does the rest. */
export function ColumnHead({ id, columns, state, set, sortable }: HeadProps) {
  const at = state.order.findIndex(({ column }) => column === id)
  const sort = state.order[at]
  const label = labelOf(id)
  const kind = kindOf(id)
  const words = (
    <span className={styles.label} title={`${kind === 'attribute' ? '' : `${kind} `}${label}`}>
      {label}
    </span>
  )
  return (
    <>
      {sortable ? (
        <button
          type="button"
          className={styles.sort}
          tabIndex={-1}
          onClick={({ shiftKey }) => set({ order: sorted(state.order, id, shiftKey) })}
        >
          {words}
          {sort && (
            <span className={styles.arrow}>
              <span aria-hidden="true">{sort.descending ? '↓' : '↑'}</span>
              {state.order.length > 1 && <small>{at + 1}</small>}
            </span>
          )}
        </button>
      ) : (
        words
      )}
      <ColumnMenu id={id} columns={columns} state={state} set={set} sortable={sortable} />
    </>
  )
}

const WAYS: readonly [Better, string][] = [
  ['up', 'Higher is better'],
  ['down', 'Lower is better'],
  ['none', 'Neither is better'],
]

function ColumnMenu({ id, columns, state, set, sortable }: HeadProps) {
  const at = columns.indexOf(id)
  const isPinned = at >= 0 && at < state.pins
  const way = betterOf(id, state.better)
  const put = (next: readonly string[], pins = state.pins) => set({ columns: [...next], pins })
  const move = (step: -1 | 1) => {
    const next = [...columns]
    next.splice(at, 1)
    next.splice(at + step, 0, id)
    put(next)
  }
  const pin = () => {
    const others = columns.filter((each) => each !== id)
    const place = isPinned ? state.pins - 1 : state.pins
    put([...others.slice(0, place), id, ...others.slice(place)], isPinned ? place : place + 1)
  }
  const hide = () =>
    put(
      columns.filter((each) => each !== id),
      isPinned ? state.pins - 1 : state.pins,
    )
  return (
    <Menu position="bottom-end" width={210} withinPortal>
      <Menu.Target>
        <button type="button" className={styles.more} tabIndex={-1} aria-label={`Column ${labelOf(id)}`}>
          <IconDots size={14} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {sortable && (
          <>
            <Menu.Item onClick={() => set({ order: [{ column: id, descending: false }] })}>Order upwards</Menu.Item>
            <Menu.Item onClick={() => set({ order: [{ column: id, descending: true }] })}>Order downwards</Menu.Item>
            <Menu.Item
              disabled={state.group.includes(id) || state.group.length >= GROUPS_MAX}
              onClick={() => set({ group: [...state.group, id], sel: [], open: [] })}
            >
              Group by it
            </Menu.Item>
          </>
        )}
        {at >= 0 && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={pin}>{isPinned ? 'Let it scroll' : 'Keep in place'}</Menu.Item>
            <Menu.Item disabled={at === 0 || at === state.pins} onClick={() => move(-1)}>
              Move left
            </Menu.Item>
            <Menu.Item disabled={at === columns.length - 1 || at === state.pins - 1} onClick={() => move(1)}>
              Move right
            </Menu.Item>
            <Menu.Item onClick={hide}>Hide</Menu.Item>
          </>
        )}
        {(kindOf(id) === 'metric' || kindOf(id) === 'param') && (
          <>
            <Menu.Divider />
            {WAYS.map(([each, words]) => (
              <Menu.RadioItem
                key={each}
                value={each}
                checked={way === each}
                closeMenuOnClick
                onChange={() => set({ better: { ...state.better, [id]: each } })}
              >
                {words}
              </Menu.RadioItem>
            ))}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  )
}
