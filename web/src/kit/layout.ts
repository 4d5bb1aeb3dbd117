/** Where nodes of a graph lie: columns from left to right, neighbours near each other. */

export interface Placed {
  id: string
}
export interface Edge {
  from: string
  to: string
}

export const NODE_WIDTH = 190
export const NODE_HEIGHT = 58
const GAP_X = 64
const GAP_Y = 16
/** How far below its ends an edge that leads back hangs. */
export const BACK_DROP = 56
/** Passes over the columns that lay neighbours near each other; more change little. */
const PASSES = 6

/** Columns by the longest way from a beginning, rows by the mean row of neighbours. Edges that close a circle lead back. */
export function layout(
  nodes: readonly Placed[],
  edges: readonly Edge[],
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

function meanRow(id: string, edges: readonly Edge[], row: ReadonlyMap<string, number>): number | undefined {
  const near = edges
    .flatMap(({ from, to }) => (from === id ? [row.get(to)] : to === id ? [row.get(from)] : []))
    .filter((each) => each !== undefined)
  return near.length === 0 ? undefined : near.reduce((sum, each) => sum + each, 0) / near.length
}

/** Edges that keep their direction when each node is entered once, begun in the order given. */
function withoutCircles(nodes: readonly Placed[], edges: readonly Edge[]): Edge[] {
  const known = new Set(nodes.map(({ id }) => id))
  const out = Map.groupBy(
    edges.filter(({ from, to }) => known.has(from) && known.has(to) && from !== to),
    ({ from }) => from,
  )
  const kept: Edge[] = []
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
