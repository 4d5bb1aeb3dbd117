/** The loop as a picture: for each project what each stage does now, and why one does not apply. */
import type { Sql } from '#kernel/store/index.ts'
import type { InsightDeps } from './deps.ts'

export type StageState = 'ok' | 'running' | 'failed' | 'waiting' | 'not-applicable'

export interface Stage {
  stage: 'Source' | 'Prepare' | 'Build' | 'Test' | 'Merge' | 'Deploy' | 'Monitor'
  state: StageState
  words: string
  since_ms: number | null
  link: { kind: string; id: string } | null
}

export interface ProjectOverview {
  project: string
  stages: Stage[]
  endpoints: {
    name: string
    model: string
    live: { release: string; version: number; since_ms: number | null } | null
    /** The newest release, when it was rolled back: what serves is what was there before. */
    rolled_back: { release: string; version: number; reason: string | null } | null
    open: { release: string; version: number; state: string; step: number | null } | null
    requests: number
    watermark_ms: number | null
    alerts_open: number
    last_window: { start_ms: number; metrics: Record<string, number | null> } | null
  }[]
}

const stage = (
  name: Stage['stage'],
  state: StageState,
  words: string,
  since_ms: number | null = null,
  link: Stage['link'] = null,
): Stage => ({ stage: name, state, words, since_ms, link })

export async function overviewOf(deps: InsightDeps, sql: Sql, workspace: string): Promise<ProjectOverview[]> {
  const projects = await deps.projects.list(sql, workspace)
  return Promise.all(projects.map((one) => projectOverview(deps, sql, workspace, one)))
}

async function projectOverview(
  deps: InsightDeps,
  sql: Sql,
  workspace: string,
  applied: { project: string; number: number; code: string | null; applied_ms: number; applied_by: { name: string } },
): Promise<ProjectOverview> {
  const { project } = applied
  const pipelines = await deps.pipelines.listPipelines(sql, workspace, project)
  const [run] = await deps.pipelines.listRuns(sql, workspace, { project, limit: 1 })
  const endpoints = (await deps.serving.listEndpoints(sql, workspace)).filter(
    (endpoint) => endpoint.project === project,
  )
  const lines: ProjectOverview['endpoints'] = []
  for (const endpoint of endpoints) {
    const live = await deps.releases.liveRelease(sql, workspace, endpoint.name)
    const [last] = await deps.releases.listReleases(sql, workspace, { endpoint: endpoint.name, limit: 1 })
    const open = await deps.releases.openRelease(sql, workspace, endpoint.name)
    const traffic = await deps.serving.trafficOf(sql, workspace, endpoint.name)
    const monitor = (await deps.monitoring.listMonitors(sql, workspace)).find((one) => one.endpoint === endpoint.name)
    const [window] = monitor ? await deps.monitoring.windows(sql, workspace, monitor.name, 1) : []
    lines.push({
      name: endpoint.name,
      model: endpoint.model,
      live: live ? { release: live.id, version: live.version, since_ms: live.live_ms } : null,
      rolled_back:
        last?.state === 'rolled_back' ? { release: last.id, version: last.version, reason: last.reason } : null,
      open: open ? { release: open.id, version: open.version, state: open.state, step: open.step } : null,
      requests: (traffic?.routes ?? []).reduce(
        (sum, route) => sum + (deps.serving.stats(route.revision)?.requests ?? 0),
        0,
      ),
      watermark_ms: (await deps.serving.watermark(sql, workspace, endpoint.name)) ?? null,
      alerts_open: (
        await deps.monitoring.alerts(sql, workspace, { endpoint: endpoint.name, state: 'open', limit: 100 })
      ).length,
      last_window: window ? { start_ms: window.start_ms, metrics: window.facts.metrics } : null,
    })
  }
  return {
    project,
    stages: [
      source(applied),
      await prepare(deps, sql, workspace),
      build(pipelines.length, run),
      await test(deps, sql, workspace, endpoints),
      merge(),
      deploy(lines),
      monitor(lines),
    ],
    endpoints: lines,
  }
}

const source = (applied: {
  number: number
  applied_ms: number
  applied_by: { name: string }
  code: string | null
}): Stage =>
  stage(
    'Source',
    'ok',
    `version ${applied.number}, applied by ${applied.applied_by.name}`,
    applied.applied_ms,
    applied.code ? { kind: 'code', id: applied.code } : null,
  )

async function prepare(deps: InsightDeps, sql: Sql, workspace: string): Promise<Stage> {
  const all = await deps.datasets.list(sql, workspace, { limit: 50 })
  const latest = (
    await Promise.all(
      all.map(async ({ name }) => (await deps.datasets.versions(sql, workspace, name, { limit: 1 }))[0]),
    )
  ).filter((version) => version !== undefined)
  if (latest.length === 0) return stage('Prepare', 'waiting', 'no data is registered yet')
  const failed = latest.find((version) => version.state === 'failed' || version.verdict === 'failed')
  const newest = latest.sort((a, b) => b.created_ms - a.created_ms)[0]!
  if (failed)
    return stage(
      'Prepare',
      'failed',
      `${failed.name}@${failed.number} ${failed.state === 'failed' ? 'cannot be read' : 'failed its checks'}`,
      failed.created_ms,
      { kind: 'dataset-version', id: failed.id },
    )
  const busy = latest.find((version) => version.state === 'pending' || version.verdict === 'pending')
  if (busy)
    return stage('Prepare', 'running', `${busy.name}@${busy.number} is being checked`, busy.created_ms, {
      kind: 'dataset-version',
      id: busy.id,
    })
  return stage(
    'Prepare',
    'ok',
    `${newest.name}@${newest.number} passed, ${newest.row_count?.toLocaleString('en') ?? '?'} rows`,
    newest.created_ms,
    { kind: 'dataset-version', id: newest.id },
  )
}

function build(
  pipelines: number,
  run:
    | { id: string; pipeline: string; number: number; state: string; reason: string | null; created_ms: number }
    | undefined,
): Stage {
  if (pipelines === 0) return stage('Build', 'not-applicable', 'the project has no pipeline')
  if (!run) return stage('Build', 'waiting', 'no pipeline has run yet')
  const link = { kind: 'pipeline-run', id: run.id }
  if (run.state === 'running')
    return stage('Build', 'running', `${run.pipeline} #${run.number} runs`, run.created_ms, link)
  if (run.state === 'done') return stage('Build', 'ok', `${run.pipeline} #${run.number} is done`, run.created_ms, link)
  return stage(
    'Build',
    'failed',
    `${run.pipeline} #${run.number} ${run.state}${run.reason ? `: ${run.reason}` : ''}`,
    run.created_ms,
    link,
  )
}

async function test(
  deps: InsightDeps,
  sql: Sql,
  workspace: string,
  endpoints: readonly { name: string; model: string }[],
): Promise<Stage> {
  if (endpoints.length === 0) return stage('Test', 'not-applicable', 'the project has no endpoint to test a model for')
  const [waiting] = (await deps.serving.listPreparations(sql, workspace, undefined, 50)).filter(
    ({ state, model }) => state === 'waiting' && endpoints.some((endpoint) => endpoint.model === model),
  )
  if (waiting)
    return stage(
      'Test',
      'running',
      `version ${waiting.version} of ${waiting.model} is scanned, loaded and compiled`,
      waiting.created_ms,
      { kind: 'model-version', id: `${waiting.model}/${waiting.version}` },
    )
  const releases = (await deps.releases.listReleases(sql, workspace, { limit: 50 })).filter((release) =>
    endpoints.some(({ name }) => name === release.endpoint),
  )
  const checking = releases.find(({ state }) => state === 'checking' || state === 'proposed')
  if (checking)
    return stage(
      'Test',
      'running',
      `version ${checking.version} is ${checking.state === 'proposed' ? 'waiting for' : 'in'} its gate`,
      checking.proposed_ms,
      { kind: 'release', id: checking.id },
    )
  const last = releases.find(({ verdict, state }) => verdict !== null || state === 'refused')
  if (!last) return stage('Test', 'waiting', 'no candidate was judged yet')
  const words =
    last.state === 'refused'
      ? `version ${last.version} was refused: ${last.reason}`
      : `version ${last.version} passed its gate`
  return stage('Test', last.state === 'refused' ? 'failed' : 'ok', words, last.ended_ms ?? last.proposed_ms, {
    kind: 'release',
    id: last.id,
  })
}

const merge = (): Stage => stage('Merge', 'not-applicable', 'no forge is connected: code comes with `slipway apply`')

function deploy(endpoints: ProjectOverview['endpoints']): Stage {
  if (endpoints.length === 0) return stage('Deploy', 'not-applicable', 'the project has no endpoint')
  const open = endpoints.find(({ open: one }) => one && ['approved', 'loading', 'canary'].includes(one.state))
  if (open)
    return stage(
      'Deploy',
      'running',
      `version ${open.open!.version} is ${open.open!.state === 'canary' ? `a canary, step ${(open.open!.step ?? 0) + 1}` : open.open!.state} at ${open.name}`,
      null,
      { kind: 'release', id: open.open!.release },
    )
  const live = endpoints.filter((endpoint) => endpoint.live)
  if (live.length === 0) return stage('Deploy', 'waiting', 'nothing is live yet')
  const [first] = live
  return stage(
    'Deploy',
    'ok',
    live
      .map(
        ({ name, live: now, rolled_back }) =>
          `version ${now!.version} serves ${name}${rolled_back ? `; version ${rolled_back.version} was rolled back: ${rolled_back.reason}` : ''}`,
      )
      .join(', '),
    first!.live!.since_ms,
    { kind: 'release', id: first!.live!.release },
  )
}

function monitor(endpoints: ProjectOverview['endpoints']): Stage {
  const watched = endpoints.filter(({ last_window }) => last_window)
  const alerts = endpoints.reduce((sum, { alerts_open }) => sum + alerts_open, 0)
  if (alerts > 0)
    return stage('Monitor', 'failed', `${alerts} ${alerts === 1 ? 'alert is' : 'alerts are'} open`, null, {
      kind: 'endpoint',
      id: endpoints.find(({ alerts_open }) => alerts_open > 0)!.name,
    })
  if (watched.length === 0)
    return endpoints.length === 0
      ? stage('Monitor', 'not-applicable', 'nothing is served')
      : stage('Monitor', 'waiting', 'no window was computed yet')
  const [first] = watched
  const auc = first!.last_window!.metrics.roc_auc
  return stage(
    'Monitor',
    'ok',
    typeof auc === 'number' ? `AUC ${auc.toFixed(3)} in the last window` : 'the last window is computed',
    first!.last_window!.start_ms,
    { kind: 'endpoint', id: first!.name },
  )
}
