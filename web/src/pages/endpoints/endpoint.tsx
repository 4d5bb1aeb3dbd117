import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { q } from '../../api/queries.ts'
import type { EndpointDetail, Revision } from '../../api/types.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { count, percent, span } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Facts, Page, Panel } from '../../kit/page.tsx'
import { Settings } from '../../kit/settings.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { EventTime, Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'
import { PredictionTable } from './predictions.tsx'

export function Endpoint() {
  const { endpoint: name } = useParams({ strict: false }) as { endpoint: string }
  const query = useQuery(q.endpoint(name))
  const endpoint = query.data
  const canary = endpoint?.traffic?.routes.some(({ role, share }) => role === 'canary' && share > 0)
  return (
    <Page
      title={name}
      crumbs={[{ label: 'Endpoints', href: paths.endpoints() }]}
      state={
        endpoint && (
          <State
            value={endpoint.traffic ? (canary ? 'canary' : 'live') : 'waiting'}
            words={endpoint.traffic ? (canary ? 'canary under way' : 'serves') : 'nothing released yet'}
          />
        )
      }
      actions={<A href={paths.releases({ endpoint: name })}>Releases</A>}
      facts={endpoint && <EndpointFacts endpoint={endpoint} />}
    >
      <Show query={query} what="the endpoint">
        {(data) => (
          <>
            <Panel title="Revisions" note="What is wanted, and what the serving nodes report.">
              <Revisions endpoint={data} />
            </Panel>
            <Panel title="Latest predictions" aside={<A href={paths.why()}>Ask why</A>}>
              <PredictionTable endpoint={name} />
            </Panel>
            <Panel title="Settings" note="As applied from slipway.yaml.">
              <Settings value={data.spec} />
            </Panel>
          </>
        )}
      </Show>
    </Page>
  )
}

function EndpointFacts({ endpoint }: { endpoint: EndpointDetail }) {
  const url = `/serve/${endpoint.name}/invocations`
  return (
    <Facts
      items={[
        [
          'Model',
          <>
            <A key="m" href={paths.model(endpoint.model)}>
              {endpoint.model}
            </A>{' '}
            <span className="muted">@{endpoint.alias}</span>
          </>,
        ],
        ['Address', <code key="u">POST {url}</code>],
        ['Watermark', <EventTime key="w" at={endpoint.watermark_ms} withTime />],
        endpoint.traffic?.release && [
          'By release',
          <A key="r" href={paths.release(endpoint.traffic.release)}>
            the one that set the traffic
          </A>,
        ],
        endpoint.dropped > 0 && [
          'Not logged',
          <State key="d" value="failed" words={`${count(endpoint.dropped)} predictions`} />,
        ],
      ]}
    />
  )
}

function Revisions({ endpoint }: { endpoint: EndpointDetail }) {
  const share = new Map(endpoint.traffic?.routes.map((route) => [route.revision, route]))
  const rows = [...endpoint.revisions].sort((a, b) => b.number - a.number)
  if (rows.length === 0) return <Empty title="No revision yet">A release that passed its gate makes the first.</Empty>
  return (
    <Table<Revision>
      label="Revisions"
      rows={rows}
      keyOf={({ id }) => id}
      columns={[
        {
          key: 'number',
          head: 'Revision',
          cell: ({ number, version, model }) => (
            <>
              {number}{' '}
              <A href={paths.modelVersion(model, version)}>
                {model} {version}
              </A>
            </>
          ),
          sortBy: ({ number }) => number,
        },
        {
          key: 'traffic',
          head: 'Traffic',
          cell: ({ id, state }) => {
            const route = share.get(id)
            return route ? (
              <State
                value={route.role === 'canary' ? 'canary' : 'live'}
                words={`${route.role} ${percent(route.share)}`}
              />
            ) : (
              <State
                value={state === 'retired' ? 'retired' : 'idle'}
                words={state === 'retired' ? 'retired' : 'kept ready'}
              />
            )
          },
        },
        {
          key: 'node',
          head: 'Nodes',
          cell: ({ reports, state }) =>
            reports.length === 0 ? (
              <span className="muted small">{state === 'retired' ? '' : 'no report yet'}</span>
            ) : (
              reports.map(({ node, state: reported, reason }) => <State key={node} value={reported} why={reason} />)
            ),
        },
        {
          key: 'form',
          head: 'Form',
          wide: true,
          cell: ({ reports }) => (
            <span className="small">
              {reports[0]?.form === 'onnx' ? 'ONNX' : reports[0]?.form === 'python' ? 'Python' : ''}
            </span>
          ),
        },
        {
          key: 'load',
          head: 'Loaded in',
          align: 'right',
          wide: true,
          cell: ({ reports }) => span(reports[0]?.load_ms),
        },
        {
          key: 'requests',
          head: 'Requests',
          align: 'right',
          cell: ({ stats }) => count(stats?.requests),
          sortBy: ({ stats }) => stats?.requests ?? null,
        },
        {
          key: 'failed',
          head: 'Failed',
          align: 'right',
          cell: ({ stats }) => (stats ? count(stats.errors + stats.over_time) : '–'),
        },
        { key: 'p50', head: 'p50', align: 'right', wide: true, cell: ({ stats }) => span(stats?.latency_p50_ms) },
        { key: 'p99', head: 'p99', align: 'right', cell: ({ stats }) => span(stats?.latency_p99_ms) },
        { key: 'made', head: 'Made', align: 'right', wide: true, cell: ({ created_ms }) => <Time at={created_ms} /> },
      ]}
    />
  )
}
