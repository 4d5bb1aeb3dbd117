import { Checkbox, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Empty, Show } from '../../kit/condition.tsx'
import { count, plural } from '../../kit/format.ts'
import { Page, Panel } from '../../kit/page.tsx'
import { Table } from '../../kit/table.tsx'
import { Time } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import styles from './compatibility.module.css'
import { type Call, compatibilityQuery } from './data.ts'

/** Which clients called what on the wires of others, and what they did not get. */
export function Compatibility() {
  const query = useQuery(compatibilityQuery)
  return (
    <Page
      title="Compatibility"
      lead="Which clients called which endpoints of MLflow's wire, and what is not supported here."
    >
      <Show query={query} what="the calls of clients">
        {({ items }) =>
          items.length === 0 ? (
            <Panel>
              <Empty title="No client has called yet" command={`export MLFLOW_TRACKING_URI=${location.origin}`}>
                Point an MLflow client at this server; what it calls is counted here.
              </Empty>
            </Panel>
          ) : (
            <Calls items={items} />
          )
        }
      </Show>
    </Page>
  )
}

function Calls({ items }: { items: readonly Call[] }) {
  const [only, setOnly] = useUrlState('only')
  const [text, setText] = useUrlState('q')
  const [client, setClient] = useUrlState('client')
  const clients = useMemo(() => clientsOf(items), [items])
  const missing = items.filter(({ supported }) => !supported)
  const shown = items.filter(
    (call) =>
      (only !== 'missing' || !call.supported) &&
      (client === '' || nameOf(call) === client) &&
      `${call.method} ${call.endpoint} ${call.note ?? ''}`.toLowerCase().includes(text.toLowerCase()),
  )
  return (
    <>
      <Panel
        title="Clients"
        note={
          missing.length === 0
            ? 'Everything that was called is supported.'
            : `${plural(missing.length, 'endpoint')} that clients called ${missing.length === 1 ? 'is' : 'are'} not supported.`
        }
      >
        <Table
          label="Clients"
          sortField="clients"
          rows={clients}
          keyOf={({ name }) => name}
          columns={[
            {
              key: 'client',
              head: 'Client',
              grow: true,
              cell: ({ name }) => (
                <button
                  type="button"
                  className={styles.pick}
                  aria-pressed={client === name}
                  onClick={() => setClient(client === name ? undefined : name)}
                >
                  {name}
                </button>
              ),
              sortBy: ({ name }) => name,
            },
            { key: 'endpoints', head: 'Endpoints', align: 'right', cell: ({ endpoints }) => count(endpoints) },
            {
              key: 'calls',
              head: 'Calls',
              align: 'right',
              cell: ({ calls }) => count(calls),
              sortBy: ({ calls }) => calls,
            },
            {
              key: 'missing',
              head: 'Not supported',
              align: 'right',
              cell: ({ missing }) => (missing > 0 ? <strong className={styles.no}>{count(missing)}</strong> : '0'),
              sortBy: ({ missing }) => missing,
            },
            { key: 'seen', head: 'Last seen', align: 'right', wide: true, cell: ({ seen }) => <Time at={seen} /> },
          ]}
        />
      </Panel>
      <Panel
        title="Endpoints"
        note={client ? `of ${client}` : undefined}
        aside={
          <span className="row wrap">
            <Checkbox
              size="xs"
              label="Only what is not supported"
              checked={only === 'missing'}
              onChange={(event) => setOnly(event.currentTarget.checked ? 'missing' : undefined)}
            />
            <TextInput
              size="xs"
              aria-label="Endpoints with"
              placeholder="Endpoints with …"
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
          </span>
        }
      >
        {shown.length === 0 ? (
          <Empty title={only ? 'Nothing of the kind was called' : 'No endpoint fits'} />
        ) : (
          <Table
            label="Endpoints"
            rows={shown}
            keyOf={(call) => `${nameOf(call)} ${call.method} ${call.endpoint} ${call.supported}`}
            columns={[
              {
                key: 'endpoint',
                head: 'Endpoint',
                grow: true,
                cell: ({ method, endpoint }) => (
                  <code className={styles.endpoint}>
                    {method} {endpoint}
                  </code>
                ),
                sortBy: ({ endpoint }) => endpoint,
              },
              {
                key: 'supported',
                head: 'Supported',
                cell: ({ supported }) =>
                  supported ? <span className={styles.yes}>✓ yes</span> : <span className={styles.no}>✕ no</span>,
                sortBy: ({ supported }) => Number(supported),
              },
              {
                key: 'note',
                head: 'Note',
                wide: true,
                cell: ({ note }) => <span className="soft small">{note}</span>,
              },
              { key: 'client', head: 'Client', wide: true, cell: (call) => nameOf(call), sortBy: nameOf },
              {
                key: 'count',
                head: 'Calls',
                align: 'right',
                cell: (call) => count(call.count),
                sortBy: (call) => call.count,
              },
              {
                key: 'seen',
                head: 'Last seen',
                align: 'right',
                wide: true,
                cell: ({ last_seen }) => <Time at={last_seen} />,
                sortBy: ({ last_seen }) => last_seen,
              },
            ]}
          />
        )}
      </Panel>
    </>
  )
}

const nameOf = ({ client, version }: Call): string => `${client} ${version}`.trim()

function clientsOf(items: readonly Call[]) {
  return [...Map.groupBy(items, nameOf)].map(([name, calls]) => ({
    name,
    endpoints: calls.length,
    calls: calls.reduce((sum, call) => sum + call.count, 0),
    missing: calls.filter(({ supported }) => !supported).length,
    seen: calls
      .map(({ last_seen }) => last_seen)
      .sort()
      .at(-1)!,
  }))
}
