/** Who acts, in which workspace, with which rights. Plain data: it crosses threads and is written beside every event. */
export const RIGHT_AREAS = [
  'access',
  'audit',
  'lineage',
  'collaboration',
  'datasets',
  'quality',
  'tracking',
  'registry',
  'pipelines',
  'serving',
  'monitoring',
  'explain',
  'releases',
  'insight',
] as const

export type RightArea = (typeof RIGHT_AREAS)[number]
export type Permission = `${RightArea}.${'read' | 'write' | 'admin'}` | 'serving.infer' | 'monitoring.label'
export type Role = 'viewer' | 'editor' | 'admin'

export interface Actor {
  kind: 'person' | 'token' | 'rule' | 'run' | 'system'
  id: string
  /** For people to read: a name, `rule:retrain@ab12`, `run 3f…`. */
  name: string
}

export interface Who extends Actor {
  workspace: string
  rights: readonly Permission[]
  /** For whom a token, run or rule acts. */
  behalf?: Actor
}

const reads = RIGHT_AREAS.map((area) => `${area}.read` as const)
const writes = RIGHT_AREAS.map((area) => `${area}.write` as const)
const admins = RIGHT_AREAS.map((area) => `${area}.admin` as const)

/** viewer reads; editor also writes, infers and labels; admin may do all. Audit and access are an admin's to change. */
export const ROLE_RIGHTS: Record<Role, readonly Permission[]> = {
  viewer: reads,
  editor: [...reads, ...writes.filter((right) => right !== 'access.write'), 'serving.infer', 'monitoring.label'],
  admin: [...reads, ...writes, ...admins, 'serving.infer', 'monitoring.label'],
}

export const ALL_PERMISSIONS: readonly Permission[] = ROLE_RIGHTS.admin

export const may = (who: Who, permission: Permission): boolean => who.rights.includes(permission)

export const DEFAULT_WORKSPACE = 'default'

/** Slipway itself, for what nobody asked for: sealing, sweeping, start-up. */
export const systemWho = (workspace: string = DEFAULT_WORKSPACE): Who => ({
  kind: 'system',
  id: 'system',
  name: 'slipway',
  workspace,
  rights: ALL_PERMISSIONS,
})

/** A rule acting by itself, with only the rights that its kind needs. */
export const ruleWho = (workspace: string, rule: string, rights: readonly Permission[], behalf?: Actor): Who => ({
  kind: 'rule',
  id: rule,
  name: `rule:${rule}`,
  workspace,
  rights,
  ...(behalf && { behalf }),
})
