import { SegmentedControl, Select } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty } from '../../kit/condition.tsx'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { List } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'

const STATES = ['', 'proposed', 'checking', 'canary', 'live', 'refused', 'rolled_back', 'superseded'] as const

export function Releases() {
  const [endpoint, setEndpoint] = useUrlState('endpoint')
  const [state, setState] = useUrlState('state')
  const endpoints = useQuery(q.endpoints()).data?.items.map(({ name }) => name) ?? []
  const query = useInfiniteQuery(q.releases({ endpoint, state }))
  return (
    <Page
      title="Releases"
      lead="Which version was let through, on what evidence, and what became of it."
      actions={<A href={paths.retrainings()}>Retrainings</A>}
    >
      <Panel
        aside={
          <>
            {endpoints.length > 1 && (
              <Select
                size="xs"
                aria-label="Endpoint"
                placeholder="All endpoints"
                clearable
                data={endpoints}
                value={endpoint || null}
                onChange={(value) => setEndpoint(value ?? undefined)}
              />
            )}
            <div style={{ overflowX: 'auto', maxWidth: '100%' }}>
              <SegmentedControl
                aria-label="State"
                data={STATES.map((value) => ({ value, label: value ? value.replace('_', ' ') : 'all' }))}
                value={state}
                onChange={setState}
              />
            </div>
          </>
        }
      >
        <List
          label="Releases"
          what="releases"
          query={query}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => paths.release(id)}
          empty={
            <Empty
              title={state || endpoint ? 'No release is like this' : 'Nothing was released yet'}
              command="npm run -s slipway -- apply"
            >
              A new version of a model is proposed by itself to each endpoint whose rules in <code>slipway.yaml</code>{' '}
              say so.
            </Empty>
          }
          columns={[
            {
              key: 'what',
              head: 'Release',
              cell: ({ id, model, version, endpoint: to }) => (
                <>
                  <A href={paths.release(id)}>
                    {model} {version}
                  </A>{' '}
                  <span className="muted">to {to}</span>
                </>
              ),
            },
            {
              key: 'state',
              head: 'State',
              cell: ({ state: value, step }) => (
                <State
                  value={value}
                  words={value === 'canary' && step !== null ? `canary, step ${step + 1}` : undefined}
                />
              ),
              sortBy: ({ state: value }) => value,
            },
            {
              key: 'why',
              head: 'Verdict or reason',
              grow: true,
              wide: true,
              cell: ({ reason, verdict }) => (
                <span className="soft small">
                  <Words text={reason ?? verdict?.reason} />
                </span>
              ),
            },
            {
              key: 'by',
              head: 'By',
              wide: true,
              cell: ({ proposed_by }) => <span className="small nowrap">{proposed_by.name}</span>,
            },
            {
              key: 'when',
              head: 'Proposed',
              align: 'right',
              cell: ({ proposed_ms }) => <Time at={proposed_ms} />,
              sortBy: ({ proposed_ms }) => proposed_ms,
            },
          ]}
        />
      </Panel>
    </Page>
  )
}
