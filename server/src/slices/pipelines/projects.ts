/** Projects as they were applied, one row for each time. */

import type { Clock } from '#kernel/clock.ts'
import type { Events } from '#kernel/events/index.ts'
import { event } from '#kernel/events/index.ts'
import type { Actor, Who } from '#kernel/http/who.ts'
import { json, parseJson, type Sql, type Tx } from '#kernel/store/index.ts'

export interface ProjectVersion {
  project: string
  number: number
  yaml: string
  digest: string
  code: string | null
  applied_by: Actor
  applied_ms: number
}

export interface Projects {
  latest(sql: Sql, workspace: string, project: string): Promise<ProjectVersion | undefined>
  /** The newest of each project. */
  list(sql: Sql, workspace: string): Promise<ProjectVersion[]>
  /** Newest first; at most 100. */
  history(sql: Sql, workspace: string, project: string): Promise<ProjectVersion[]>
  /** The same text and code again is the same version. */
  record(tx: Tx, who: Who, input: { project: string; yaml: string; digest: string; code: string }): Promise<number>
}

export const projectApplied = event<{ project: string; number: number; digest: string; code: string }>(
  'pipelines.project-applied',
  'A project file was applied.',
)

type Row = Omit<ProjectVersion, 'applied_by'> & { applied_by: string }
const versionOf = (row: Row): ProjectVersion => ({ ...row, applied_by: parseJson(row.applied_by, {} as Actor) })
const COLUMNS = 'project, number, yaml, digest, code, applied_by, applied_ms'

export function createProjects({ events, clock }: { events: Pick<Events, 'record'>; clock: Clock }): Projects {
  const latest: Projects['latest'] = async (sql, workspace, project) => {
    const row = await sql.get<Row>(
      `SELECT ${COLUMNS} FROM project_version WHERE workspace = ? AND project = ? ORDER BY number DESC LIMIT 1`,
      [workspace, project],
    )
    return row && versionOf(row)
  }
  return {
    latest,
    async list(sql, workspace) {
      const rows = await sql.all<Row>(
        `SELECT ${COLUMNS} FROM project_version p WHERE workspace = ? AND number = (SELECT max(number) FROM project_version q WHERE q.workspace = p.workspace AND q.project = p.project) ORDER BY project LIMIT 1000`,
        [workspace],
      )
      return rows.map(versionOf)
    },
    async history(sql, workspace, project) {
      return (
        await sql.all<Row>(
          `SELECT ${COLUMNS} FROM project_version WHERE workspace = ? AND project = ? ORDER BY number DESC LIMIT 100`,
          [workspace, project],
        )
      ).map(versionOf)
    },
    async record(tx, who, { project, yaml, digest, code }) {
      await tx.lock('pipelines.project', who.workspace, project)
      const last = await latest(tx, who.workspace, project)
      if (last?.digest === digest && last.code === code) return last.number
      const number = (last?.number ?? 0) + 1
      await tx.run(`INSERT INTO project_version (workspace, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, [
        who.workspace,
        project,
        number,
        yaml,
        digest,
        code,
        json({ kind: who.kind, id: who.id, name: who.name }),
        clock.now(),
      ])
      await events.record(tx, projectApplied, {
        who,
        subject: { kind: 'project', id: project },
        before: last && { number: last.number, digest: last.digest },
        after: { project, number, digest, code },
      })
      return number
    },
  }
}
