import { useInfiniteQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty } from '../../kit/condition.tsx'
import { count } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'

export function Experiments() {
  const query = useInfiniteQuery(q.experiments())
  return (
    <Page title="Experiments" lead="Runs of any script that speaks MLflow, and of every pipeline's steps.">
      <Panel>
        <List
          label="Experiments"
          what="experiments"
          query={query}
          keyOf={({ experiment_id }) => experiment_id}
          hrefOf={({ experiment_id }) => paths.experiment(experiment_id)}
          empty={<Empty title="No experiment yet" command={`MLFLOW_TRACKING_URI=${location.origin} python train.py`} />}
          columns={[
            {
              key: 'name',
              head: 'Experiment',
              grow: true,
              cell: ({ experiment_id, name }) => <A href={paths.experiment(experiment_id)}>{name}</A>,
              sortBy: ({ name }) => name,
            },
            {
              key: 'running',
              head: 'Now',
              cell: ({ runs }) => (runs.running > 0 ? <State value="running" words={`${runs.running} running`} /> : ''),
            },
            {
              key: 'runs',
              head: 'Runs',
              align: 'right',
              cell: ({ runs }) => count(runs.active),
              sortBy: ({ runs }) => runs.active,
            },
            {
              key: 'last',
              head: 'Last run',
              align: 'right',
              cell: ({ runs }) => <Time at={runs.last_started} />,
              sortBy: ({ runs }) => runs.last_started,
            },
            {
              key: 'made',
              head: 'Made',
              align: 'right',
              wide: true,
              cell: ({ created }) => <Time at={created} />,
              sortBy: ({ created }) => created,
            },
          ]}
        />
      </Panel>
    </Page>
  )
}
