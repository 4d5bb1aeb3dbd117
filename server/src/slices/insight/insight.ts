import type { Sql } from '#kernel/store/index.ts'
import type { InsightDeps } from './deps.ts'
import { overviewOf, type ProjectOverview } from './overview.ts'
import { type Why, whyOf } from './why.ts'

export interface Busy {
  /** What is under way, by kind; a replay holds until nothing is. Canaries are not counted: they live on traffic. */
  parts: {
    pipeline_runs: number
    preparations: number
    releases: number
    retrainings: number
    /** Data that is read or checked. */
    data: number
    windows: number
    events: number
  }
  total: number
}

export interface SearchHit {
  kind: string
  id: string
  label: string
}

export interface Insight {
  overview(sql: Sql, workspace: string): Promise<ProjectOverview[]>
  why(workspace: string, prediction: string): Promise<Why>
  busy(workspace: string): Promise<Busy>
  /** Things whose name or id begins with or holds the text; at most 20. */
  search(sql: Sql, workspace: string, text: string): Promise<SearchHit[]>
}

const HITS_MAX = 20

export function createInsight(deps: InsightDeps): Insight {
  return {
    overview: (sql, workspace) => overviewOf(deps, sql, workspace),
    why: (workspace, prediction) => whyOf(deps, workspace, prediction),

    async busy(workspace) {
      // What a window is due by stands in memory for a moment before it stands in the store.
      await deps.serving.flushWatermarks()
      return deps.store.read(async (sql) => {
        const open = async (kind: string) => {
          let count = 0
          for (const state of ['waiting', 'running'] as const)
            count += (await deps.jobs.list(sql, workspace, { kind, state, limit: 1000 })).length
          return count
        }
        const parts = {
          pipeline_runs: (await deps.pipelines.listRuns(sql, workspace, { state: 'running', limit: 1000 })).length,
          preparations: await open('serving.prepare'),
          releases: await deps.releases.countReleases(sql, workspace, ['checking', 'approved', 'loading']),
          retrainings: await deps.releases.countRetrainings(sql, workspace),
          data: (await open('datasets.profile')) + (await open('quality.verify')),
          windows: await deps.monitoring.due(sql, workspace),
          events: await deps.undelivered(sql, workspace),
        }
        return { parts, total: Object.values(parts).reduce((sum, count) => sum + count, 0) }
      })
    },

    async search(sql, workspace, text) {
      const wanted = text.toLowerCase()
      const hits: SearchHit[] = []
      const add = (kind: string, id: string, label: string) => {
        if (hits.length < HITS_MAX && (label.toLowerCase().includes(wanted) || id.toLowerCase().startsWith(wanted)))
          hits.push({ kind, id, label })
      }
      // What is an id is looked up by it; names are few enough to be looked through.
      if (/^rel_[0-9a-f]{32}$/.test(wanted)) {
        const described = await deps.releases.describeReleases(sql, workspace, [wanted])
        for (const [id, { label, state }] of described) add('release', id, `${label} (${state})`)
        return hits
      }
      for (const { project } of await deps.projects.list(sql, workspace)) add('project', project, project)
      for (const { name, model } of await deps.serving.listEndpoints(sql, workspace)) {
        add('endpoint', name, name)
        add('model', model, model)
      }
      for (const { name } of await deps.datasets.list(sql, workspace, { limit: 200 })) add('dataset', name, name)
      for (const { project, name } of await deps.pipelines.listPipelines(sql, workspace))
        add('pipeline', `${project}/${name}`, `${project}/${name}`)
      for (const { name } of await deps.monitoring.listMonitors(sql, workspace)) add('monitor', name, name)
      for (const release of await deps.releases.listReleases(sql, workspace, { limit: 200 }))
        add('release', release.id, `${release.model} v${release.version} at ${release.endpoint} (${release.state})`)
      for (const run of await deps.pipelines.listRuns(sql, workspace, { limit: 200 }))
        add('pipeline-run', run.id, `${run.project}/${run.pipeline} #${run.number}`)
      if (/^prd_[0-9a-f]{32}/.test(wanted)) hits.unshift({ kind: 'prediction', id: text, label: text })
      return hits
    },
  }
}
