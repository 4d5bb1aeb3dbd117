import { SegmentedControl } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty } from '../../kit/condition.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import { RunTable } from './run-table.tsx'

export function PipelineRuns() {
  const [state, setState] = useUrlState('state')
  const [pipeline] = useUrlState('pipeline')
  const query = useInfiniteQuery(q.pipelineRuns({ state, pipeline }))
  return (
    <Page title="Pipeline runs" crumbs={[{ label: 'Pipelines', href: paths.pipelines() }]}>
      <Panel
        aside={
          <SegmentedControl
            aria-label="State"
            data={[{ value: '', label: 'all' }, 'running', 'done', 'failed', 'cancelled']}
            value={state}
            onChange={setState}
          />
        }
      >
        <RunTable
          query={query}
          empty={
            <Empty
              title={state ? `No run is ${state}` : 'Nothing has run yet'}
              command="npm run -s slipway -- run train"
            />
          }
        />
      </Panel>
    </Page>
  )
}
