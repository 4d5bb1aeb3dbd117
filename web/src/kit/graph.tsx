import { type ReactNode, useEffect, useMemo, useRef } from 'react'
import styles from './graph.module.css'
import { BACK_DROP, type Edge, layout, NODE_HEIGHT, NODE_WIDTH } from './layout.ts'

export interface GraphNode {
  id: string
  body: ReactNode
}
export interface GraphEdge extends Edge {
  active?: boolean
}

/** Nodes in columns from left to right, edges between them; nodes are ordinary elements, so links and the keyboard work. */
export function Graph({
  label,
  nodes,
  edges,
  middle,
}: {
  label: string
  nodes: readonly GraphNode[]
  edges: readonly GraphEdge[]
  /** Node that is brought into view. */
  middle?: string
}) {
  const { place, width, height } = useMemo(() => layout(nodes, edges), [nodes, edges])
  const view = useRef<HTMLElement>(null)
  useEffect(() => {
    const at = middle === undefined ? undefined : place.get(middle)
    if (at && view.current) {
      view.current.scrollLeft = at.x + NODE_WIDTH / 2 - view.current.clientWidth / 2
      view.current.scrollTop = at.y + NODE_HEIGHT / 2 - view.current.clientHeight / 2
    }
  }, [middle, place])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolls both ways
    <section className={styles.scroll} aria-label={label} tabIndex={0} ref={view}>
      <div className={styles.graph} style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {edges.map(({ from, to, active }) => {
            const [a, b] = [place.get(from), place.get(to)]
            if (!a || !b) return null
            return (
              <path
                key={`${from}>${to}`}
                d={curve(a, b)}
                className={styles.edge}
                data-active={active || undefined}
                data-back={b.x <= a.x || undefined}
              />
            )
          })}
        </svg>
        <ul>
          {nodes.map(({ id, body }) => (
            <li
              key={id}
              className={styles.node}
              style={{ left: place.get(id)!.x, top: place.get(id)!.y, width: NODE_WIDTH, height: NODE_HEIGHT }}
            >
              {body}
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}

/** Forward from side to side; back in an arc below. */
function curve(a: { x: number; y: number }, b: { x: number; y: number }): string {
  if (b.x > a.x) {
    const [x1, y1, x2, y2] = [a.x + NODE_WIDTH, a.y + NODE_HEIGHT / 2, b.x, b.y + NODE_HEIGHT / 2]
    const bend = Math.max(24, (x2 - x1) / 2)
    return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`
  }
  const [x1, x2, low] = [a.x + NODE_WIDTH / 2, b.x + NODE_WIDTH / 2, Math.max(a.y, b.y) + NODE_HEIGHT + BACK_DROP]
  return `M${x1} ${a.y + NODE_HEIGHT}C${x1} ${low} ${x2} ${low} ${x2} ${b.y + NODE_HEIGHT}`
}
