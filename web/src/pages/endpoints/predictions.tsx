import { useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { measure, shortId, span } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { State } from '../../kit/state.tsx'
import { Table } from '../../kit/table.tsx'
import { EventTime, Time } from '../../kit/time.tsx'
import { paths } from '../../paths.ts'

/** The latest answers of an endpoint; each leads to its why. */
export function PredictionTable({ endpoint }: { endpoint: string }) {
  const query = useQuery(q.predictions(endpoint))
  return (
    <Show query={query} what="predictions" lines={4}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty
            title="Nothing was asked yet"
            command={`curl ${location.origin}/serve/${endpoint}/invocations -H 'content-type: application/json' -d '{"dataframe_records": [{…}]}'`}
          />
        ) : (
          <Table
            label={`Latest predictions of ${endpoint}`}
            sortField="predictions"
            rows={items}
            keyOf={({ id }) => id}
            hrefOf={({ id }) => paths.whyPrediction(id)}
            columns={[
              {
                key: 'id',
                head: 'Prediction',
                cell: ({ id }) => (
                  <A href={paths.whyPrediction(id)}>
                    <code>{shortId(id)}</code>
                  </A>
                ),
              },
              {
                key: 'status',
                head: 'State',
                cell: ({ status }) => <State value={status} words={status === 'fallback' ? 'stood in' : status} />,
              },
              {
                key: 'score',
                head: 'Score',
                align: 'right',
                cell: ({ score }) => measure(score),
                sortBy: ({ score }) => score,
              },
              { key: 'label', head: 'Answer', cell: ({ label }) => label ?? '' },
              { key: 'version', head: 'By version', align: 'right', cell: ({ answered_version }) => answered_version },
              {
                key: 'latency',
                head: 'Took',
                align: 'right',
                wide: true,
                cell: ({ latency_us }) => span(latency_us / 1000),
                sortBy: ({ latency_us }) => latency_us,
              },
              {
                key: 'event',
                head: 'Event time',
                align: 'right',
                wide: true,
                cell: ({ event_ms }) => <EventTime at={event_ms} withTime />,
              },
              {
                key: 'at',
                head: 'Answered',
                align: 'right',
                cell: ({ at_ms }) => <Time at={at_ms} />,
                sortBy: ({ at_ms }) => at_ms,
              },
            ]}
          />
        )
      }
    </Show>
  )
}
