import { type ReactNode, useEffect, useMemo, useRef } from 'react'
import styles from './graph.module.css'

export interface GraphNode {
  id: string
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
/** How far below its ends an edge that leads back hangs. */
const BACK_DROP = 56
/** Passes over the columns that lay neighbours near each other; more change little. */
const PASSES = 6

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

/** Columns by the longest way from a beginning, rows by the mean row of neighbours. Edges that close a circle lead back. */
export function layout(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
): { place: Map<string, { x: number; y: number }>; width: number; height: number } {
  const forward = withoutCircles(nodes, edges)
  const rank = new Map(nodes.map(({ id }) => [id, 0]))
  for (let pass = 0, moved = true; moved && pass <= nodes.length; pass++) {
    moved = false
    for (const { from, to } of forward) {
      const least = rank.get(from)! + 1
      if (rank.get(to)! >= least) continue
      rank.set(to, least)
      moved = true
    }
  }
  const columns: string[][] = []
  for (const { id } of nodes) {
    const at = rank.get(id)!
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
  const height = tallest * (NODE_HEIGHT + GAP_Y) + (forward.length < edges.length ? BACK_DROP : 0)
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

/** Edges that keep their direction when each node is entered once, begun in the order given. */
function withoutCircles(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): GraphEdge[] {
  const known = new Set(nodes.map(({ id }) => id))
  const out = Map.groupBy(
    edges.filter(({ from, to }) => known.has(from) && known.has(to) && from !== to),
    ({ from }) => from,
  )
  const kept: GraphEdge[] = []
  const state = new Map<string, 'open' | 'done'>()
  const enter = (id: string): void => {
    state.set(id, 'open')
    for (const edge of out.get(id) ?? []) {
      if (state.get(edge.to) === 'open') continue
      kept.push(edge)
      if (!state.has(edge.to)) enter(edge.to)
    }
    state.set(id, 'done')
  }
  const entered = new Set(edges.map(({ to }) => to))
  const beginnings = nodes.filter(({ id }) => !entered.has(id))
  for (const { id } of [...beginnings, ...nodes]) if (!state.has(id)) enter(id)
  return kept
}
