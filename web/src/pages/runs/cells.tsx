import { memo } from 'react'
import { ago, measure, NONE, span } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { State } from '../../kit/state.tsx'
import { useNow } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import styles from './cells.module.css'
import { type Better, kindOf } from './columns.ts'
import type { Cell, Row } from './data.ts'
import { colorVar } from './state.ts'

/** A param or tag that is a number, as far as differences are concerned. */
export const numberOf = (cell: Cell | undefined): number | undefined => {
  if (typeof cell === 'number') return cell
  if (typeof cell !== 'string' || cell.length > 64 || !/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(cell))
    return undefined
  return Number(cell)
}

export const cellText = (cell: Cell | undefined): string =>
  cell === null || cell === undefined ? '' : typeof cell === 'number' ? measure(cell) : cell

/** As `Time`, without a tooltip of its own: there are many of it, and they come and go while one scrolls. */
function Ago({ at }: { at: string | null }) {
  const now = useNow()
  if (!at) return <span className="muted">{NONE}</span>
  return (
    <time dateTime={at} title={at}>
      {ago(Date.parse(at), now)}
    </time>
  )
}

/** What a run says of itself, without a value of its own in the answer. */
export function attributeCell(id: string, run: Row) {
  switch (id) {
    case 'status':
      return <State value={run.status} />
    case 'start':
      return <Ago at={run.start_time} />
    case 'end':
      return <Ago at={run.end_time} />
    case 'took':
      return run.end_time ? (
        <span className="num">{span(Date.parse(run.end_time) - Date.parse(run.start_time))}</span>
      ) : (
        <span className="muted">{NONE}</span>
      )
    case 'user':
      return run.user
    case 'experiment':
      return <A href={paths.experiment(run.experiment_id)}>{run.experiment_id}</A>
    default:
      return ''
  }
}

/** A value; beside it how far it is from the baseline's: sign and arrow say which way, the colour whether that is better. */
export function ValueCell({
  id,
  cell,
  base,
  better,
}: {
  id: string
  cell: Cell | undefined
  base: Cell | undefined
  better: Better
}) {
  const text = cellText(cell)
  const shown = kindOf(id) === 'metric' ? text : <span title={text.length > 16 ? text : undefined}>{text}</span>
  if (base === undefined) return shown
  return (
    <>
      {shown} <Delta value={numberOf(cell)} base={numberOf(base)} better={better} />
    </>
  )
}

export function Delta({
  value,
  base,
  better,
}: {
  value: number | undefined
  base: number | undefined
  better: Better
}) {
  if (value === undefined || base === undefined) return null
  const delta = value - base
  if (delta === 0) return <span className={styles.delta}>=</span>
  const up = delta > 0
  const verdict = better === 'none' ? undefined : (better === 'up') === up ? 'better' : 'worse'
  return (
    <span className={styles.delta} data-verdict={verdict} title={verdict}>
      <span aria-hidden="true">{up ? '▲' : '▼'}</span>
      {up ? '+' : '−'}
      {measure(Math.abs(delta))}
      {verdict && <span className="sr"> {verdict}</span>}
    </span>
  )
}

interface NameProps {
  run: Row
  depth: number
  children_count: number | undefined
  isOpen: boolean
  color: number
  isHidden: boolean
  isBase: boolean
  isChosen: boolean
  compact: boolean
  act: (what: 'choose' | 'color' | 'hide' | 'expand', run_id: string, shift?: boolean) => void
}

/** Which run it is: box to choose it, its colour, whether charts draw it, its children, its name. */
export const NameCell = memo(function NameCell(props: NameProps) {
  const { run, depth, children_count, isOpen, color, isHidden, isBase, isChosen, compact, act } = props
  const { run_id, name } = run
  return (
    <span className={styles.name} style={{ paddingLeft: depth * 16 }}>
      <label className={styles.box}>
        <input
          type="checkbox"
          tabIndex={-1}
          checked={isChosen}
          aria-label={`Choose ${name}`}
          onChange={(event) => act('choose', run_id, (event.nativeEvent as MouseEvent).shiftKey)}
        />
      </label>
      {!compact && (
        <>
          <button
            type="button"
            tabIndex={-1}
            className={styles.icon}
            aria-label={`Colour ${color + 1} of ${name}. Change`}
            onClick={() => act('color', run_id)}
          >
            <i className={styles.dot} style={{ background: colorVar(color) }} />
          </button>
          <button
            type="button"
            tabIndex={-1}
            className={styles.icon}
            aria-pressed={!isHidden}
            aria-label={`Draw ${name} in charts`}
            onClick={() => act('hide', run_id)}
          >
            <Eye open={!isHidden} />
          </button>
        </>
      )}
      {children_count !== undefined &&
        (children_count > 0 ? (
          <button
            type="button"
            tabIndex={-1}
            className={styles.icon}
            aria-expanded={isOpen}
            aria-label={`${children_count} below ${name}`}
            onClick={() => act('expand', run_id)}
          >
            <svg viewBox="0 0 10 10" width="10" height="10" data-open={isOpen || undefined} aria-hidden="true">
              <path d="M3 1l5 4-5 4z" fill="currentColor" />
            </svg>
          </button>
        ) : (
          <i className={styles.icon} />
        ))}
      {children_count === undefined && run.parent_run_id && (
        <span className={styles.nested} title="It has a parent run">
          ↳
        </span>
      )}
      <A href={paths.run(run_id)} className={styles.link} title={name} tabIndex={-1}>
        {name}
      </A>
      {isBase && <b className={styles.badge}>baseline</b>}
      {run.lifecycle === 'deleted' && <b className={styles.badge}>deleted</b>}
    </span>
  )
})

function Eye({ open }: { open: boolean }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width="15"
      height="15"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.3"
      aria-hidden="true"
    >
      <path d="M1.5 8C3 5.2 5.3 3.7 8 3.7s5 1.5 6.5 4.3C13 10.8 10.7 12.3 8 12.3S3 10.8 1.5 8z" />
      {open ? <circle cx="8" cy="8" r="2" /> : <path d="M2.5 13.5 13.5 2.5" />}
    </svg>
  )
}
