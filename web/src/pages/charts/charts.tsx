import { Button, Tabs } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { count, plural } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import { unpackRuns } from '../runs/run-ids.ts'
import { Curves } from './curves-view.tsx'
import { RUNS_MAX } from './data.ts'
import { FRAME_ROWS_MAX, frameQuery } from './frame.ts'
import { Importance } from './importance-view.tsx'
import { Parallel } from './parallel.tsx'
import { Scatter } from './scatter.tsx'

/** Of a selection, as the comparison takes them. */
const CHOSEN_MAX = 500

/** Many runs in one picture: their curves, or what they were made with against what came out. */
export function ChartsPage() {
  const [chosen] = useUrlState('runs')
  const [experiment] = useUrlState('experiment')
  const [filter, setFilter] = useUrlState('filter')
  const [view, setView] = useUrlState('view', 'curves')
  const runs = unpackRuns(chosen).slice(0, CHOSEN_MAX)
  const asked = runs.length > 0 || experiment !== ''
  const query = useQuery({
    ...frameQuery({ runs, experiment, filter }),
    enabled: asked,
    placeholderData: keepPreviousData,
  })
  const home = experiment || query.data?.rows[0]?.experiment_id
  const place = useQuery({ ...q.experiment(home ?? ''), enabled: Boolean(home) }).data
  if (!asked)
    return (
      <Page title="Charts">
        <Panel>
          <Empty title="No run is chosen" action={<A href={paths.experiments()}>To the experiments</A>}>
            Choose runs in the table of an experiment.
          </Empty>
        </Panel>
      </Page>
    )
  return (
    <Page
      title={
        runs.length > 0 ? `Charts of ${plural(runs.length, 'run')}` : `Charts of ${place?.name ?? 'an experiment'}`
      }
      crumbs={[
        { label: 'Experiments', href: paths.experiments() },
        ...(place ? [{ label: place.name, href: paths.experiment(home!) }] : []),
      ]}
      actions={runs.length > 1 && <A href={paths.compareRuns(runs)}>Compare them as a table</A>}
    >
      <Show query={query} what="the runs">
        {(frame) => (
          <>
            {runs.length === 0 && (
              <p className="soft">
                {frame.total > frame.rows.length
                  ? `The newest ${count(FRAME_ROWS_MAX)} of ${count(frame.total)} runs`
                  : plural(frame.rows.length, 'run')}
                {filter && (
                  <>
                    {' '}
                    where <code>{filter}</code> ·{' '}
                    <Button size="compact-xs" variant="default" onClick={() => setFilter(undefined)}>
                      Show all runs
                    </Button>{' '}
                    · <A href={paths.experiment(experiment, { filter })}>as a table</A>
                  </>
                )}
              </p>
            )}
            {frame.rows.length === 0 ? (
              <Panel>
                <Empty title={filter ? 'No run fits the filter' : 'No run yet'} />
              </Panel>
            ) : (
              <Tabs value={view} onChange={(next) => setView(next ?? undefined)} keepMounted={false}>
                <Tabs.List>
                  <Tabs.Tab value="curves">Curves</Tabs.Tab>
                  <Tabs.Tab value="parallel">Parallel coordinates</Tabs.Tab>
                  <Tabs.Tab value="scatter">Scatter</Tabs.Tab>
                  <Tabs.Tab value="importance">Importance</Tabs.Tab>
                </Tabs.List>
                <Tabs.Panel value="curves" pt="md">
                  <Curves frame={{ ...frame, rows: frame.rows.slice(0, RUNS_MAX) }} all={frame.rows.length} />
                </Tabs.Panel>
                <Tabs.Panel value="parallel" pt="md">
                  <Parallel frame={frame} />
                </Tabs.Panel>
                <Tabs.Panel value="scatter" pt="md">
                  <Scatter frame={frame} />
                </Tabs.Panel>
                <Tabs.Panel value="importance" pt="md">
                  <Importance frame={frame} />
                </Tabs.Panel>
              </Tabs>
            )}
          </>
        )}
      </Show>
    </Page>
  )
}
