import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { Empty, Loading, Problem } from './kit/condition.tsx'
import { A } from './kit/link.tsx'
import { Page } from './kit/page.tsx'
import { Shell } from './shell/shell.tsx'
import { base } from './workspace.ts'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound })

/** One route: its address, and the page that is loaded when somebody goes there. */
const at = <K extends string>(path: string, load: () => Promise<Record<K, React.ComponentType>>, name: K) =>
  createRoute({
    getParentRoute: () => root,
    path,
    component: lazyRouteComponent(load as () => Promise<Record<string, React.ComponentType>>, name),
  })

const pages = [
  at('/', () => import('./pages/overview/overview.tsx'), 'Overview'),
  at('/overview', () => import('./pages/overview/overview.tsx'), 'Overview'),
  at('/runs/$run', () => import('./pages/run/run.tsx'), 'Run'),
  at('/runs', () => import('./pages/runs/compare.tsx'), 'Compare'),
  at('/releases/$release', () => import('./pages/release/release.tsx'), 'Release'),
  at('/monitors/$monitor', () => import('./pages/monitor/monitor.tsx'), 'Monitor'),
  at('/why', () => import('./pages/why/ask.tsx'), 'AskWhy'),
  at('/why/$prediction', () => import('./pages/why/why.tsx'), 'Why'),
  at('/audit', () => import('./pages/audit/audit.tsx'), 'Audit'),
  at('/lineage', () => import('./pages/lineage/lineage.tsx'), 'Lineage'),
  at('/datasets', () => import('./pages/datasets/datasets.tsx'), 'Datasets'),
  at('/datasets/$name', () => import('./pages/datasets/dataset.tsx'), 'Dataset'),
  at('/datasets/$name/$version', () => import('./pages/datasets/version.tsx'), 'DatasetVersion'),
  at('/dataset-versions/$id', () => import('./pages/datasets/by-id.tsx'), 'DatasetVersionById'),
  at('/pipelines', () => import('./pages/pipelines/pipelines.tsx'), 'Pipelines'),
  at('/pipelines/$project/$pipeline', () => import('./pages/pipelines/pipeline.tsx'), 'Pipeline'),
  at('/pipeline-runs', () => import('./pages/pipelines/runs.tsx'), 'PipelineRuns'),
  at('/pipeline-runs/$run', () => import('./pages/pipelines/run.tsx'), 'PipelineRun'),
  at('/experiments', () => import('./pages/experiments/experiments.tsx'), 'Experiments'),
  at('/experiments/$experiment', () => import('./pages/experiments/experiment.tsx'), 'Experiment'),
  at('/models', () => import('./pages/models/models.tsx'), 'Models'),
  at('/models/$model', () => import('./pages/models/model.tsx'), 'Model'),
  at('/models/$model/compare', () => import('./pages/models/compare.tsx'), 'CompareVersions'),
  at('/models/$model/$version', () => import('./pages/models/version.tsx'), 'ModelVersion'),
  at('/logged-models/$id', () => import('./pages/models/logged.tsx'), 'LoggedModel'),
  at('/endpoints', () => import('./pages/endpoints/endpoints.tsx'), 'Endpoints'),
  at('/endpoints/$endpoint', () => import('./pages/endpoints/endpoint.tsx'), 'Endpoint'),
  at('/releases', () => import('./pages/release/releases.tsx'), 'Releases'),
  at('/retrainings', () => import('./pages/release/retrainings.tsx'), 'Retrainings'),
  at('/monitors', () => import('./pages/monitor/monitors.tsx'), 'Monitors'),
  at('/alerts', () => import('./pages/monitor/alerts.tsx'), 'Alerts'),
  at('/jobs', () => import('./pages/jobs/jobs.tsx'), 'Jobs'),
  at('/charts', () => import('./pages/charts/charts.tsx'), 'ChartsPage'),
  at('/compatibility', () => import('./pages/compatibility/compatibility.tsx'), 'Compatibility'),
  at('/access', () => import('./pages/access/access.tsx'), 'Access'),
]

export const createAppRouter = () =>
  createRouter({
    routeTree: root.addChildren(pages),
    basepath: base || '/',
    defaultPreload: false,
    scrollRestoration: true,
    // State of a page is plain text in the address; each page reads its own fields.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => {
      const text = new URLSearchParams(search as Record<string, string>).toString()
      return text && `?${text}`
    },
    defaultPendingComponent: () => <Loading what="the page" />,
    defaultErrorComponent: ({ error, reset }) => (
      <Page title="Something broke">
        <Problem error={error} retry={reset} />
      </Page>
    ),
  })

function NotFound() {
  return (
    <Page title="No such page">
      <Empty title="There is no page at this address" action={<A href="/">To the overview</A>}>
        It may have been typed wrong, or be of a newer version.
      </Empty>
    </Page>
  )
}
