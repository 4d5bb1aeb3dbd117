import { type KeyboardEvent, type PointerEvent, useState } from 'react'
import { measure } from '../../kit/format.ts'
import type { AxisScale, Brush } from './brush.ts'
import styles from './charts.module.css'

const HALF_PX = 16
const NAME_CHARS = 16
const TEXTS_MAX = 12
/** One press of an arrow moves an end of the brush so far. */
const STEP = 0.05
/** A drag shorter than this is a click, and clears. */
const DRAG_PX = 4

export interface AxisPlace {
  x: number
  top: number
  bottom: number
}

/** An upright axis to drag along. Arrows up and down raise its lower end, with Shift they move its upper end; Escape lets go. */
export function AxisColumn({
  axis,
  place: { x, top, bottom },
  brush,
  onBrush,
}: {
  axis: AxisScale
  place: AxisPlace
  brush: Brush | undefined
  onBrush: (brush: Brush | undefined) => void
}) {
  const [drag, setDrag] = useState<readonly [from: number, to: number]>()
  const { name, key } = axis.column
  const tall = bottom - top
  const height = (event: PointerEvent<SVGElement>) => {
    const box = event.currentTarget.ownerSVGElement!.getBoundingClientRect()
    return Math.min(1, Math.max(0, (bottom - (event.clientY - box.top)) / tall))
  }
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onBrush(undefined)
    const step = event.key === 'ArrowUp' ? STEP : event.key === 'ArrowDown' ? -STEP : 0
    if (step === 0) return
    event.preventDefault()
    const { from, to } = brush ?? { from: 0, to: 1 }
    const next = event.shiftKey
      ? { name, from, to: Math.min(1, Math.max(from + STEP, to + step)) }
      : { name, from: Math.max(0, Math.min(to - STEP, from + step)), to }
    onBrush(next.from <= 0 && next.to >= 1 ? undefined : next)
  }
  const release = () => {
    if (!drag) return
    const [from, to] = [Math.min(...drag), Math.max(...drag)]
    onBrush((to - from) * tall < DRAG_PX ? undefined : { name, from, to })
    setDrag(undefined)
  }
  const shown = drag ? { from: Math.min(...drag), to: Math.max(...drag) } : brush
  const texts = axis.texts.length <= TEXTS_MAX ? axis.texts : []
  return (
    // biome-ignore lint/a11y/useSemanticElements: a part of a drawing, moved by arrows
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: the same
    <g
      role="group"
      aria-label={`${name}${brush ? `, kept from ${wordsAt(axis, brush.from)} to ${wordsAt(axis, brush.to)}` : ''}; arrows narrow it down`}
      tabIndex={0}
      className={styles.axisGroup}
      onKeyDown={press}
    >
      <title>{name}</title>
      <line x1={x} x2={x} y1={top} y2={bottom} className={styles.axisLine} />
      <text x={x} y={16} textAnchor="middle" className={styles.axisName}>
        {key.length > NAME_CHARS ? `…${key.slice(1 - NAME_CHARS)}` : key}
      </text>
      {axis.column.numeric || texts.length === 0 ? (
        <>
          <text x={x} y={top - 8} textAnchor="middle" className={styles.tick}>
            {wordsAt(axis, 1)}
          </text>
          <text x={x} y={bottom + 16} textAnchor="middle" className={styles.tick}>
            {wordsAt(axis, 0)}
          </text>
        </>
      ) : (
        texts.map((text, at) => (
          <text
            key={text}
            x={x + 6}
            y={bottom - (texts.length === 1 ? 0.5 : at / (texts.length - 1)) * tall + 3}
            className={styles.tick}
          >
            {text.length > NAME_CHARS ? `${text.slice(0, NAME_CHARS - 1)}…` : text}
          </text>
        ))
      )}
      {shown && (
        <rect
          x={x - 7}
          width={14}
          y={bottom - shown.to * tall}
          height={Math.max(1, (shown.to - shown.from) * tall)}
          className={styles.brush}
        />
      )}
      <rect
        x={x - HALF_PX}
        width={2 * HALF_PX}
        y={top - 4}
        height={tall + 8}
        className={styles.hit}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId)
          setDrag([height(event), height(event)])
        }}
        onPointerMove={(event) => drag && setDrag([drag[0], height(event)])}
        onPointerUp={release}
      />
    </g>
  )
}

function wordsAt(axis: AxisScale, height: number): string {
  if (axis.column.numeric) return measure(Number((axis.low + height * (axis.high - axis.low)).toPrecision(4)))
  return axis.texts[Math.round(height * (axis.texts.length - 1))] ?? ''
}
