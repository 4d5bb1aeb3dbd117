import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pathOfSubject, paths, UI_ROOTS } from './paths.ts'

test('every address of the UI', () => {
  const name = 'a b/c?'
  expect({
    overview: paths.overview(),
    datasets: paths.datasets(),
    dataset: paths.dataset(name),
    datasetVersion: paths.datasetVersion(name, 3, { tab: 'rows' }),
    datasetVersionById: paths.datasetVersionById('dsv_1'),
    pipelines: paths.pipelines(),
    pipeline: paths.pipeline('flights', name),
    pipelineRuns: paths.pipelineRuns({ state: 'failed' }),
    pipelineRun: paths.pipelineRun('prn_1', { step: 'train' }),
    experiments: paths.experiments(),
    experiment: paths.experiment('4', { filter: 'metrics.auc > 0.7' }),
    run: paths.run('0a', { tab: 'artifacts', file: 'plots/roc.png' }),
    compareRuns: paths.compareRuns(['0a', '0b']),
    models: paths.models(),
    model: paths.model(name),
    modelVersion: paths.modelVersion(name, 2),
    compareVersions: paths.compareVersions(name, '1,2'),
    loggedModel: paths.loggedModel('m-1'),
    endpoints: paths.endpoints(),
    endpoint: paths.endpoint(name),
    releases: paths.releases({ endpoint: 'delay', state: 'live' }),
    release: paths.release('rel_1'),
    retrainings: paths.retrainings({}),
    monitors: paths.monitors(),
    monitor: paths.monitor('weekly', { window: 1, feature: 'temp', metric: 'roc_auc' }),
    alerts: paths.alerts({ state: 'open' }),
    why: paths.why(),
    whyPrediction: paths.whyPrediction('prd_1.0'),
    lineage: paths.lineage('model-version', 'a/1'),
    jobs: paths.jobs({}),
    audit: paths.audit({ name: 'releases.', who: 'rule' }),
    access: paths.access({ tab: 'people' }),
    charts: paths.charts({ runs: '0a,0b', view: 'scatter' }),
    compatibility: paths.compatibility(),
  } satisfies Record<keyof typeof paths, string>).toMatchInlineSnapshot(`
    {
      "access": "/access?tab=people",
      "alerts": "/alerts?state=open",
      "audit": "/audit?name=releases.&who=rule",
      "charts": "/charts?runs=0a%2C0b&view=scatter",
      "compareRuns": "/runs?compare=0a%2C0b",
      "compareVersions": "/models/a%20b%2Fc%3F/compare?versions=1%2C2",
      "compatibility": "/compatibility",
      "dataset": "/datasets/a%20b%2Fc%3F",
      "datasetVersion": "/datasets/a%20b%2Fc%3F/3?tab=rows",
      "datasetVersionById": "/dataset-versions/dsv_1",
      "datasets": "/datasets",
      "endpoint": "/endpoints/a%20b%2Fc%3F",
      "endpoints": "/endpoints",
      "experiment": "/experiments/4?filter=metrics.auc+%3E+0.7",
      "experiments": "/experiments",
      "jobs": "/jobs",
      "lineage": "/lineage?kind=model-version&id=a%2F1",
      "loggedModel": "/logged-models/m-1",
      "model": "/models/a%20b%2Fc%3F",
      "modelVersion": "/models/a%20b%2Fc%3F/2",
      "models": "/models",
      "monitor": "/monitors/weekly?window=1&feature=temp&metric=roc_auc",
      "monitors": "/monitors",
      "overview": "/",
      "pipeline": "/pipelines/flights/a%20b%2Fc%3F",
      "pipelineRun": "/pipeline-runs/prn_1?step=train",
      "pipelineRuns": "/pipeline-runs?state=failed",
      "pipelines": "/pipelines",
      "release": "/releases/rel_1",
      "releases": "/releases?endpoint=delay&state=live",
      "retrainings": "/retrainings",
      "run": "/runs/0a?tab=artifacts&file=plots%2Froc.png",
      "why": "/why",
      "whyPrediction": "/why/prd_1.0",
    }
  `)
})

test('where the things of the platform have their page', () => {
  const places = [
    ['model-version', 'flight-delay/6'],
    ['model-version', 'a/b/6'],
    ['dataset-version', 'dsv_0'],
    ['pipeline', 'flights/train'],
    ['release', 'rel_0'],
    ['run', '0a'],
    ['code', 'sha256:00'],
    ['model-version', 'no-number'],
  ] as const
  expect(places.map(([kind, id]) => pathOfSubject(kind, id))).toMatchInlineSnapshot(`
    [
      "/models/flight-delay/6",
      "/models/a%2Fb/6",
      "/dataset-versions/dsv_0",
      "/pipelines/flights/train",
      "/releases/rel_0",
      "/runs/0a",
      undefined,
      undefined,
    ]
  `)
})

test('the server answers its page for exactly these', () => {
  const server = readFileSync(new URL('../../server/src/app/web.ts', import.meta.url), 'utf8')
  const list = /UI_ROOTS = \[([^\]]*)\]/.exec(server)![1]!
  expect([...list.matchAll(/'([^']+)'/g)].map(([, root]) => root)).toEqual([...UI_ROOTS])
  const { compareRuns, ...others } = paths
  const given = [
    compareRuns(['a']),
    ...Object.values(others).map((path) => (path as (...args: string[]) => string)('a', 'b')),
  ]
  expect(
    given.map((path) => path.split(/[/?]/)[1]).filter((root) => root && !UI_ROOTS.includes(root as never)),
  ).toEqual([])
})
