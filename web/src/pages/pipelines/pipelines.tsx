import { useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import { triggerWords } from './words.ts'

export function Pipelines() {
  const query = useQuery(q.pipelines())
  return (
    <Page
      title="Pipelines"
      lead="Steps that are ordinary commands, started by hand, by the clock, by new data or by an event."
      actions={<A href={paths.pipelineRuns()}>All runs</A>}
    >
      <Panel>
        <Show query={query} what="pipelines">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="No pipeline yet" command="npm run -s slipway -- apply">
                Add <code>pipelines:</code> to <code>slipway.yaml</code> beside your code, then apply it.
              </Empty>
            ) : (
              <Table
                label="Pipelines"
                rows={items}
                keyOf={({ project, name }) => `${project}/${name}`}
                hrefOf={({ project, name }) => paths.pipeline(project, name)}
                columns={[
                  {
                    key: 'name',
                    head: 'Pipeline',
                    cell: ({ project, name }) => (
                      <>
                        <span className="muted">{project} / </span>
                        <A href={paths.pipeline(project, name)}>{name}</A>
                      </>
                    ),
                    sortBy: ({ name }) => name,
                  },
                  {
                    key: 'steps',
                    head: 'Steps',
                    wide: true,
                    cell: ({ spec }) => <span className="small">{Object.keys(spec.steps).join(', ')}</span>,
                  },
                  {
                    key: 'triggers',
                    head: 'Starts on',
                    grow: true,
                    wide: true,
                    cell: ({ spec }) => <span className="soft small">{triggerWords(spec)}</span>,
                  },
                  {
                    key: 'last',
                    head: 'Last run',
                    cell: ({ last_run }) =>
                      last_run ? (
                        <span className="row">
                          <A href={paths.pipelineRun(last_run.id)}>#{last_run.number}</A>
                          <State value={last_run.state} why={last_run.reason} />
                        </span>
                      ) : (
                        <span className="muted">none yet</span>
                      ),
                  },
                  {
                    key: 'when',
                    head: 'Began',
                    align: 'right',
                    cell: ({ last_run }) => <Time at={last_run?.created_ms} />,
                    sortBy: ({ last_run }) => last_run?.created_ms ?? null,
                  },
                ]}
              />
            )
          }
        </Show>
      </Panel>
    </Page>
  )
}
