/** Every address of the UI, in one place. Names are encoded here and nowhere else; state of a page goes behind the `?`. */

type Query = Record<string, string | number | undefined>

const e = encodeURIComponent

const withQuery = (path: string, query: Query = {}): string => {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [[key, String(value)]],
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

export const paths = {
  overview: () => '/',
  datasets: () => '/datasets',
  dataset: (name: string) => `/datasets/${e(name)}`,
  datasetVersion: (name: string, version: number | string, query?: { tab?: string }) =>
    withQuery(`/datasets/${e(name)}/${e(version)}`, query),
  /** By id alone, where the name is not known: it leads on to the version's own address. */
  datasetVersionById: (id: string) => `/dataset-versions/${e(id)}`,
  pipelines: () => '/pipelines',
  pipeline: (project: string, pipeline: string) => `/pipelines/${e(project)}/${e(pipeline)}`,
  pipelineRuns: (query?: { pipeline?: string; state?: string }) => withQuery('/pipeline-runs', query),
  pipelineRun: (id: string, query?: { step?: string }) => withQuery(`/pipeline-runs/${e(id)}`, query),
  experiments: () => '/experiments',
  experiment: (id: string, query?: { filter?: string; order?: string }) => withQuery(`/experiments/${e(id)}`, query),
  run: (id: string, query?: { tab?: string; file?: string }) => withQuery(`/runs/${e(id)}`, query),
  compareRuns: (ids: readonly string[]) => withQuery('/runs', { compare: ids.join(',') }),
  /** Curves of these runs, or of an experiment's newest. */
  charts: (query: { runs?: string; experiment?: string; filter?: string; view?: string; keys?: string }) =>
    withQuery('/charts', query),
  compatibility: () => '/compatibility',
  models: () => '/models',
  model: (name: string) => `/models/${e(name)}`,
  modelVersion: (name: string, version: number | string) => `/models/${e(name)}/${e(version)}`,
  /** Numbers with commas between. */
  compareVersions: (name: string, versions: string) => withQuery(`/models/${e(name)}/compare`, { versions }),
  loggedModel: (id: string) => `/logged-models/${e(id)}`,
  endpoints: () => '/endpoints',
  endpoint: (name: string) => `/endpoints/${e(name)}`,
  releases: (query?: { endpoint?: string; state?: string }) => withQuery('/releases', query),
  release: (id: string) => `/releases/${e(id)}`,
  retrainings: (query?: { endpoint?: string }) => withQuery('/retrainings', query),
  monitors: () => '/monitors',
  monitor: (name: string, query?: { window?: number; feature?: string; metric?: string }) =>
    withQuery(`/monitors/${e(name)}`, query),
  alerts: (query?: { state?: string }) => withQuery('/alerts', query),
  why: () => '/why',
  whyPrediction: (id: string) => `/why/${e(id)}`,
  lineage: (kind: string, id: string) => withQuery('/lineage', { kind, id }),
  jobs: (query?: { state?: string }) => withQuery('/jobs', query),
  audit: (query?: { name?: string; who?: string; subject_kind?: string; subject_id?: string; event?: string }) =>
    withQuery('/audit', query),
  access: (query?: { tab?: string }) => withQuery('/access', query),
} as const

/** First segments of these addresses. The server answers its page for them, and for nothing else. */
export const UI_ROOTS = [
  'access',
  'alerts',
  'audit',
  'charts',
  'compatibility',
  'dataset-versions',
  'datasets',
  'endpoints',
  'experiments',
  'jobs',
  'lineage',
  'logged-models',
  'models',
  'monitors',
  'overview',
  'pipeline-runs',
  'pipelines',
  'releases',
  'retrainings',
  'runs',
  'why',
] as const

/** Where a thing of the platform has its page; undefined for kinds without one. */
export function pathOfSubject(kind: string, id: string): string | undefined {
  const [head, tail] = splitLast(id)
  switch (kind) {
    case 'project':
      return paths.overview()
    case 'dataset':
      return paths.dataset(id)
    case 'dataset-version':
      return id.startsWith('dsv_') ? paths.datasetVersionById(id) : undefined
    case 'experiment':
      return paths.experiment(id)
    case 'run':
      return paths.run(id)
    case 'logged-model':
      return paths.loggedModel(id)
    case 'registered-model':
    case 'model':
      return paths.model(id)
    case 'model-version':
      return head ? paths.modelVersion(head, tail) : undefined
    case 'model-alias':
      return head ? paths.model(head) : undefined
    case 'pipeline':
      return head ? paths.pipeline(head, tail) : undefined
    case 'pipeline-run':
      return paths.pipelineRun(id)
    case 'endpoint':
      return paths.endpoint(id)
    case 'release':
      return paths.release(id)
    case 'monitor':
      return paths.monitor(id)
    case 'alert':
      return paths.alerts()
    case 'prediction':
      return paths.whyPrediction(id)
    case 'retraining':
      return paths.retrainings()
    case 'job':
      return paths.jobs()
    case 'token':
    case 'person':
    case 'workspace':
      return paths.access()
    default:
      return undefined
  }
}

function splitLast(id: string): [head: string, tail: string] {
  const at = Math.max(id.lastIndexOf('/'), id.lastIndexOf('@'))
  return at < 0 ? ['', id] : [id.slice(0, at), id.slice(at + 1)]
}
