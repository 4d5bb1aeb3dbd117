import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { q } from '../../api/queries.ts'
import { Show } from '../../kit/condition.tsx'
import { bytes, measure } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Copy, Facts, Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import { Pairs } from '../run/pairs.tsx'

export function LoggedModel() {
  const { id } = useParams({ strict: false }) as { id: string }
  const query = useQuery(q.loggedModel(id))
  const model = query.data
  return (
    <Page
      title={model?.name ?? id}
      crumbs={[
        { label: 'Experiments', href: paths.experiments() },
        ...(model ? [{ label: 'Its run', href: paths.run(model.source_run_id) }] : []),
      ]}
      state={model && <State value={model.status.replace('LOGGED_MODEL_', '').toLowerCase()} />}
      facts={
        model && (
          <Facts
            items={[
              ['Type', model.model_type || undefined],
              ['Made', <Time key="t" at={model.created} />],
              [
                'Run',
                <A key="r" href={paths.run(model.source_run_id)}>
                  {model.source_run_id.slice(0, 8)}
                </A>,
              ],
              ['Id', <Copy key="i" text={model.model_id} />],
              [
                'Lineage',
                <A key="l" href={paths.lineage('logged-model', model.model_id)}>
                  where it comes from
                </A>,
              ],
            ]}
          />
        )
      }
    >
      <Show query={query} what="the model">
        {(data) => (
          <>
            <Panel title="Files">
              <Table
                label="Files"
                rows={data.files}
                keyOf={({ path }) => path}
                columns={[
                  {
                    key: 'path',
                    head: 'File',
                    grow: true,
                    cell: ({ path, is_dir }) => (
                      <code>
                        {path}
                        {is_dir ? '/' : ''}
                      </code>
                    ),
                  },
                  { key: 'size', head: 'Size', align: 'right', cell: ({ size_bytes }) => bytes(size_bytes) },
                ]}
              />
            </Panel>
            {data.metrics.length > 0 && (
              <Panel title="Metrics">
                <Table
                  label="Metrics"
                  rows={data.metrics}
                  keyOf={({ key, step }) => `${key}${step}`}
                  columns={[
                    { key: 'key', head: 'Metric', grow: true, cell: ({ key }) => key },
                    { key: 'value', head: 'Value', align: 'right', cell: ({ value }) => measure(value) },
                  ]}
                />
              </Panel>
            )}
            <Pairs
              label="Parameters"
              items={data.params}
              empty="No parameter was logged."
              hint={'mlflow.log_param("depth", 8)'}
            />
          </>
        )}
      </Show>
    </Page>
  )
}
