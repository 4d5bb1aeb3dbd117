import { useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import type { Overview as OverviewData } from '../../api/types.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { paths } from '../../paths.ts'
import { EndpointCards } from './endpoints.tsx'
import { Feed } from './feed.tsx'
import { Loop } from './loop.tsx'
import styles from './overview.module.css'

export function Overview() {
  const overview = useQuery(q.overview())
  return (
    <Page
      title="Overview"
      lead="Each stage of each project, as it stands now. Everything here leads to what made it so."
    >
      <Show query={overview} what="the overview" lines={9}>
        {(data) =>
          data.projects.length === 0 ? <FirstSteps /> : <Projects data={data} at_ms={overview.dataUpdatedAt} />
        }
      </Show>
    </Page>
  )
}

function Projects({ data, at_ms }: { data: OverviewData; at_ms: number }) {
  return (
    <>
      {data.projects.map((project) => (
        <ProjectLoop key={project.project} project={project} at_ms={at_ms} />
      ))}
      <Feed />
    </>
  )
}

function ProjectLoop({ project, at_ms }: { project: OverviewData['projects'][number]; at_ms: number }) {
  const retrainings = useQuery({ ...q.retrainings(), retry: false }).data?.items ?? []
  const ours = retrainings.filter(({ endpoint }) => project.endpoints.some(({ name }) => name === endpoint))
  // What was held back says less than what was done, unless nothing was.
  const mine = ours.find(({ state }) => state !== 'skipped') ?? ours[0]
  // One endpoint is told of within the loop; several are listed below it.
  const only = project.endpoints.length === 1 ? project.endpoints[0] : undefined
  const under = project.stages.filter(({ state }) => state === 'running').map(({ stage }) => stage)
  const failed = project.stages.filter(({ state }) => state === 'failed').map(({ stage }) => stage)
  return (
    <Panel
      title={project.project}
      note={
        failed.length > 0
          ? `${failed.join(', ')} asks for a look.`
          : under.length > 0
            ? `Under way: ${under.join(', ')}.`
            : 'Nothing is under way.'
      }
      aside={<A href={paths.pipelines()}>Pipelines</A>}
      className={styles.project!}
    >
      <div className={styles.picture}>
        <Loop stages={project.stages} retraining={mine}>
          {only && <EndpointCards endpoints={[only]} at_ms={at_ms} inside />}
        </Loop>
      </div>
      {!only && <EndpointCards endpoints={project.endpoints} at_ms={at_ms} />}
    </Panel>
  )
}

/** A folder where nothing happened yet. */
function FirstSteps() {
  return (
    <Panel>
      <Empty title="Nothing is here yet" command="npm run demo">
        <p>Watch a whole life of a model on real flights, or bring your own:</p>
        <ol className={styles.steps}>
          <li>
            An MLflow script: <code>MLFLOW_TRACKING_URI={location.origin} python train.py</code>, and its runs are under{' '}
            <A href={paths.experiments()}>Experiments</A>.
          </li>
          <li>
            A project: <code>npm run -s slipway -- apply</code> beside a <code>slipway.yaml</code>, and its loop is on
            this page.
          </li>
        </ol>
      </Empty>
    </Panel>
  )
}
