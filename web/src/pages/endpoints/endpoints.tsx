import { useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { percent } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { EventTime, Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'

export function Endpoints() {
  const query = useQuery(q.endpoints())
  return (
    <Page title="Endpoints" lead="What answers requests, and how the traffic is shared between revisions.">
      <Panel>
        <Show query={query} what="endpoints">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="Nothing serves yet" command="npm run -s slipway -- apply">
                Add <code>endpoints:</code> to <code>slipway.yaml</code>: a name, the registered model, and how its
                scores are read.
              </Empty>
            ) : (
              <Table
                label="Endpoints"
                rows={items}
                keyOf={({ name }) => name}
                hrefOf={({ name }) => paths.endpoint(name)}
                columns={[
                  {
                    key: 'name',
                    head: 'Endpoint',
                    cell: ({ name }) => <A href={paths.endpoint(name)}>{name}</A>,
                    sortBy: ({ name }) => name,
                  },
                  {
                    key: 'model',
                    head: 'Model',
                    cell: ({ model, alias }) => (
                      <>
                        <A href={paths.model(model)}>{model}</A> <span className="muted small">@{alias}</span>
                      </>
                    ),
                  },
                  {
                    key: 'traffic',
                    head: 'Traffic',
                    grow: true,
                    cell: ({ traffic }) =>
                      traffic ? (
                        <span className="row wrap">
                          {traffic.routes.map(({ revision, share, role }) => (
                            <State
                              key={revision}
                              value={role === 'canary' ? 'canary' : 'live'}
                              words={`${role} ${percent(share)}`}
                            />
                          ))}
                        </span>
                      ) : (
                        <span className="muted">none yet</span>
                      ),
                  },
                  { key: 'project', head: 'Project', wide: true, cell: ({ project }) => project },
                  {
                    key: 'watermark',
                    head: 'Watermark',
                    align: 'right',
                    wide: true,
                    cell: ({ watermark_ms }) => <EventTime at={watermark_ms} withTime />,
                    sortBy: ({ watermark_ms }) => watermark_ms,
                  },
                  {
                    key: 'changed',
                    head: 'Traffic changed',
                    align: 'right',
                    cell: ({ traffic }) => <Time at={traffic?.changed_ms} />,
                    sortBy: ({ traffic }) => traffic?.changed_ms ?? null,
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
