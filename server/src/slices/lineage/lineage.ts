import type { Subject, SubjectKind } from '#kernel/events/index.ts'
import type { Sql } from '#kernel/store/index.ts'
import { edgesAt, type StoredEdge } from './lineage-store.ts'

export const DEPTH_MAX = 20
export const NODES_MAX = 500
/** Edges of one answer: a dense graph of 500 nodes could have a quarter of a million. */
const EDGES_MAX = 5_000

export type Direction = 'up' | 'down' | 'both'

/** What a slice tells of a thing of its own, for people. */
export interface Description {
  label: string
  /** Its state, where it has one: `live`, `FINISHED`. */
  state?: string
}

/** Describes many things of one kind at once; leaves out those that are not there. */
export type Describe = (sql: Sql, workspace: string, ids: readonly string[]) => Promise<Map<string, Description>>

export interface LineageNode extends Subject {
  label: string
  state?: string
  /** Steps from where the walk began: negative upstream, positive downstream, 0 for the beginning. */
  distance: number
  /** True when its neighbours were not followed, because the walk was deep or wide enough. */
  cut: boolean
}

export interface LineageEdge {
  from: Subject
  to: Subject
  relation: string
  at_ms: number
}

export interface Graph {
  nodes: LineageNode[]
  edges: LineageEdge[]
  /** True when a limit left something out. */
  truncated: boolean
}

export interface BlastRadius {
  /** How many things of each kind stand on the one asked for. */
  counts: Partial<Record<SubjectKind, number>>
  /** What people use: endpoints, releases and revisions that stand on it. */
  serving: LineageNode[]
  truncated: boolean
}

export interface Walk {
  start: Subject
  direction: Direction
  /** 1 to 20. */
  depth: number
  /** 1 to 500 nodes. */
  limit?: number
}

export interface Lineage {
  /** Where a thing comes from and what became of it. A thing without edges is a graph of one node. */
  walk(sql: Sql, workspace: string, walk: Walk): Promise<Graph>
  /** What stands on a thing: everything downstream, counted, and those of it that serve. */
  blastRadius(sql: Sql, workspace: string, start: Subject): Promise<BlastRadius>
}

interface Deps {
  /** How each kind of thing is described; a kind without one shows its id. */
  describers: Partial<Record<SubjectKind, Describe>>
}

const SERVING: readonly SubjectKind[] = ['endpoint', 'revision', 'release']

export function createLineage({ describers }: Deps): Lineage {
  const label = async (sql: Sql, workspace: string, found: Found): Promise<LineageNode[]> => {
    const byKind = Map.groupBy(found.nodes.values(), (node) => node.subject.kind)
    const described = new Map<string, Description>()
    for (const [kind, nodes] of byKind) {
      const ids = nodes.map((node) => node.subject.id)
      const some = (await describers[kind]?.(sql, workspace, ids)) ?? new Map<string, Description>()
      for (const [id, description] of some) described.set(keyOf({ kind, id }), description)
    }
    return [...found.nodes].map(([key, { subject, distance, cut }]) => ({
      ...subject,
      ...(described.get(key) ?? { label: subject.id }),
      distance,
      cut,
    }))
  }

  return {
    async walk(sql, workspace, { start, direction, depth, limit = NODES_MAX }) {
      const found = begin(start)
      if (direction !== 'down') await spread(sql, workspace, found, start, 'up', depth, limit)
      if (direction !== 'up') await spread(sql, workspace, found, start, 'down', depth, limit)
      const edges = [...found.edges.values()].map(({ event_seq: _, ...edge }) => edge)
      return { nodes: await label(sql, workspace, found), edges, truncated: found.truncated }
    },

    async blastRadius(sql, workspace, start) {
      const found = begin(start)
      await spread(sql, workspace, found, start, 'down', DEPTH_MAX, NODES_MAX)
      const counts: BlastRadius['counts'] = {}
      for (const { subject, distance } of found.nodes.values()) {
        if (distance !== 0) counts[subject.kind] = (counts[subject.kind] ?? 0) + 1
      }
      const nodes = await label(sql, workspace, found)
      const serving = nodes.filter((node) => node.distance !== 0 && SERVING.includes(node.kind))
      return { counts, serving, truncated: found.truncated }
    },
  }
}

interface Found {
  nodes: Map<string, { subject: Subject; distance: number; cut: boolean }>
  edges: Map<string, StoredEdge>
  truncated: boolean
}

const keyOf = ({ kind, id }: Subject): string => `${kind}\n${id}`

const begin = (start: Subject): Found => ({
  nodes: new Map([[keyOf(start), { subject: start, distance: 0, cut: false }]]),
  edges: new Map(),
  truncated: false,
})

/** Level by level, so that what is nearest is kept when the limit is met; a node is entered once, so cycles end. */
async function spread(
  sql: Sql,
  workspace: string,
  found: Found,
  start: Subject,
  direction: 'up' | 'down',
  depth: number,
  limit: number,
): Promise<void> {
  const sign = direction === 'down' ? 1 : -1
  let level = [start]
  for (let distance = 1; level.length > 0; distance += 1) {
    const edges = await edgesAt(sql, workspace, level, direction, EDGES_MAX)
    if (edges.length >= EDGES_MAX) found.truncated = true
    const next: Subject[] = []
    for (const edge of edges) {
      const [near, far] = direction === 'down' ? [edge.from, edge.to] : [edge.to, edge.from]
      const known = found.nodes.has(keyOf(far))
      const full = found.nodes.size >= limit || distance > depth
      if ((!known && full) || found.edges.size >= EDGES_MAX) {
        found.nodes.get(keyOf(near))!.cut = true
        found.truncated = true
        continue
      }
      found.edges.set(`${keyOf(edge.from)}\n${keyOf(edge.to)}\n${edge.relation}`, edge)
      if (known) continue
      found.nodes.set(keyOf(far), { subject: far, distance: sign * distance, cut: false })
      next.push(far)
    }
    level = next
  }
}
