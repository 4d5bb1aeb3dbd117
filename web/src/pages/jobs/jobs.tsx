import { SegmentedControl } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty } from '../../kit/condition.tsx'
import { count, percent, shortId } from '../../kit/format.ts'
import { SubjectLink } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { List } from '../../kit/table.tsx'
import { Time, Took } from '../../kit/time.tsx'
import { useUrlState } from '../../kit/url-state.ts'

const EVERY_MS = 3_000

/** Work that outlives a request: what waits, runs, is tried again, or was given up. */
export function Jobs() {
  const [state, setState] = useUrlState('state')
  const query = useInfiniteQuery({ ...q.jobs({ state: state || undefined }), refetchInterval: EVERY_MS })
  return (
    <Page
      title="Jobs"
      lead="Work beside requests. A job whose process dies is taken again; one that keeps failing is given up and says why."
    >
      <Panel
        aside={
          <SegmentedControl
            aria-label="State"
            data={[{ value: '', label: 'all' }, 'waiting', 'running', 'done', 'failed', 'cancelled']}
            value={state}
            onChange={setState}
          />
        }
      >
        <List
          label="Jobs"
          what="jobs"
          query={query}
          keyOf={({ id }) => id}
          empty={<Empty title={state ? `No job is ${state}` : 'No job yet'} />}
          columns={[
            { key: 'kind', head: 'Job', cell: ({ kind }) => kind },
            {
              key: 'state',
              head: 'State',
              cell: ({ state: value, error }) => <State value={value} why={error?.message} />,
            },
            {
              key: 'subject',
              head: 'Of',
              cell: ({ subject }) =>
                subject && (
                  <SubjectLink kind={subject.kind} id={subject.id}>
                    {shortId(subject.id)}
                  </SubjectLink>
                ),
            },
            {
              key: 'progress',
              head: 'Progress',
              grow: true,
              wide: true,
              cell: ({ progress, note, error }) => (
                <span className="soft small">
                  {error?.message ?? [progress !== null && percent(progress), note].filter(Boolean).join(' · ')}
                </span>
              ),
            },
            {
              key: 'attempts',
              head: 'Tries',
              align: 'right',
              wide: true,
              cell: ({ attempt, attempts_max }) => `${count(attempt)} of ${count(attempts_max)}`,
            },
            {
              key: 'took',
              head: 'Took',
              align: 'right',
              wide: true,
              cell: ({ started_ms, ended_ms }) => <Took from={started_ms} to={ended_ms} />,
            },
            {
              key: 'when',
              head: 'Since',
              align: 'right',
              cell: ({ created_ms }) => <Time at={created_ms} />,
              sortBy: ({ created_ms }) => created_ms,
            },
          ]}
        />
      </Panel>
    </Page>
  )
}
