import { type ReactNode, useMemo } from 'react'
import styles from './graph.module.css'

export interface GraphNode {
  id: string
  /** Column; computed from the edges when left out. */
  rank?: number
  body: ReactNode
}
export interface GraphEdge {
  from: string
  to: string
  active?: boolean
}

const NODE_WIDTH = 190
const NODE_HEIGHT = 58
const GAP_X = 64
const GAP_Y = 16
/** Passes over the columns that lay neighbours near each other; more change little. */
const PASSES = 6

/** Nodes in columns from left to right, edges between them; nodes are ordinary elements, so links and the keyboard work. */
export function Graph({
  label,
  nodes,
  edges,
}: {
  label: string
  nodes: readonly GraphNode[]
  edges: readonly GraphEdge[]
}) {
  const { place, width, height } = useMemo(() => layout(nodes, edges), [nodes, edges])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolls both ways
    <section className={styles.scroll} aria-label={label} tabIndex={0}>
      <div className={styles.graph} style={{ width, height }}>
        <svg width={width} height={height} aria-hidden="true">
          {edges.map(({ from, to, active }) => {
            const [a, b] = [place.get(from), place.get(to)]
            if (!a || !b) return null
            const [x1, y1, x2, y2] = [a.x + NODE_WIDTH, a.y + NODE_HEIGHT / 2, b.x, b.y + NODE_HEIGHT / 2]
            const bend = Math.max(24, (x2 - x1) / 2)
            return (
              <path
                key={`${from}>${to}`}
                d={`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`}
                className={styles.edge}
                data-active={active || undefined}
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

/** Columns by the longest way from a beginning, rows by the mean row of neighbours. */
export function layout(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
): { place: Map<string, { x: number; y: number }>; width: number; height: number } {
  const rank = new Map(nodes.map((node) => [node.id, node.rank ?? 0]))
  if (nodes.some((node) => node.rank === undefined)) {
    // As often as there are nodes at most: a circle would never settle.
    for (let pass = 0, moved = true; moved && pass < nodes.length; pass++) {
      moved = false
      for (const { from, to } of edges) {
        const least = (rank.get(from) ?? 0) + 1
        if (!rank.has(to) || !rank.has(from) || rank.get(to)! >= least) continue
        rank.set(to, least)
        moved = true
      }
    }
  }
  const lowest = Math.min(0, ...rank.values())
  const columns: string[][] = []
  for (const { id } of nodes) {
    const at = rank.get(id)! - lowest
    columns[at] = [...(columns[at] ?? []), id]
  }
  const filled = columns.filter(Boolean)
  const row = new Map(filled.flatMap((column) => column.map((id, at) => [id, at] as const)))
  for (let pass = 0; pass < PASSES; pass++) {
    for (const column of filled) {
      const wanted = new Map(column.map((id) => [id, meanRow(id, edges, row) ?? row.get(id)!]))
      column.sort((a, b) => wanted.get(a)! - wanted.get(b)!)
      for (const [at, id] of column.entries()) row.set(id, at)
    }
  }
  const tallest = Math.max(1, ...filled.map((column) => column.length))
  const height = tallest * (NODE_HEIGHT + GAP_Y)
  const place = new Map<string, { x: number; y: number }>()
  for (const [at, column] of filled.entries()) {
    const top = (height - column.length * (NODE_HEIGHT + GAP_Y)) / 2
    for (const [index, id] of column.entries())
      place.set(id, { x: at * (NODE_WIDTH + GAP_X), y: top + index * (NODE_HEIGHT + GAP_Y) })
  }
  return { place, width: Math.max(1, filled.length) * (NODE_WIDTH + GAP_X) - GAP_X, height }
}

function meanRow(id: string, edges: readonly GraphEdge[], row: ReadonlyMap<string, number>): number | undefined {
  const near = edges
    .flatMap(({ from, to }) => (from === id ? [row.get(to)] : to === id ? [row.get(from)] : []))
    .filter((each) => each !== undefined)
  return near.length === 0 ? undefined : near.reduce((sum, each) => sum + each, 0) / near.length
}
