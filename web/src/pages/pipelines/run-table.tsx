import type { UseInfiniteQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Page, PipelineRunSummary } from '../../api/types.ts'
import { A } from '../../kit/link.tsx'
import { State } from '../../kit/state.tsx'
import { List } from '../../kit/table.tsx'
import { Time, Took } from '../../kit/time.tsx'
import { Words } from '../../kit/words.tsx'
import { paths } from '../../paths.ts'
import { causeWords } from './words.ts'

export function RunTable({
  query,
  empty,
}: {
  query: UseInfiniteQueryResult<{ pages: Page<PipelineRunSummary>[] }>
  empty: ReactNode
}) {
  return (
    <List
      label="Pipeline runs"
      what="runs"
      query={query}
      empty={empty}
      keyOf={({ id }) => id}
      hrefOf={({ id }) => paths.pipelineRun(id)}
      columns={[
        {
          key: 'run',
          head: 'Run',
          cell: ({ id, pipeline, number }) => (
            <A href={paths.pipelineRun(id)}>
              {pipeline} #{number}
            </A>
          ),
        },
        { key: 'state', head: 'State', cell: ({ state }) => <State value={state} />, sortBy: ({ state }) => state },
        {
          key: 'cause',
          head: 'Started by',
          cell: ({ cause }) => <span className="soft small">{causeWords(cause)}</span>,
        },
        {
          key: 'reason',
          head: 'Why it ended so',
          grow: true,
          wide: true,
          cell: ({ reason }) => (
            <span className="soft small">
              <Words text={reason} />
            </span>
          ),
        },
        {
          key: 'who',
          head: 'For',
          wide: true,
          cell: ({ who }) => (
            <span className="small nowrap">
              <Words text={who.name} />
            </span>
          ),
        },
        {
          key: 'took',
          head: 'Took',
          align: 'right',
          cell: ({ created_ms, ended_ms }) => <Took from={created_ms} to={ended_ms} />,
        },
        {
          key: 'when',
          head: 'Began',
          align: 'right',
          cell: ({ created_ms }) => <Time at={created_ms} />,
          sortBy: ({ created_ms }) => created_ms,
        },
      ]}
    />
  )
}
