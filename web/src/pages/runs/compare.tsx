import { Button, SegmentedControl, Switch, TextInput } from '@mantine/core'
import { IconArrowsTransferDown, IconChartLine, IconX } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { q } from '../../api/queries.ts'
import { Empty, Show } from '../../kit/condition.tsx'
import { count, plural } from '../../kit/format.ts'
import { A, useGo } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import { chartsHref } from './charts-link.ts'
import { CompareGrid } from './compare-grid.tsx'
import { type Area, linesOf, orderOf } from './compare-table.ts'
import { comparison } from './data.ts'
import { unpackRuns } from './run-ids.ts'
import styles from './runs.module.css'
import { CHOSEN_MAX, useTableState } from './state.ts'

const AREAS = [
  { value: 'all', label: 'All' },
  { value: 'metric', label: 'Metrics' },
  { value: 'param', label: 'Params' },
  { value: 'tag', label: 'Tags' },
]

/** Up to 500 runs side by side: what differs first. */
export function Compare() {
  const go = useGo()
  const [packed] = useUrlState('compare')
  const [same, setSame] = useUrlState('same')
  const [turned, setTurned] = useUrlState('turned')
  const [of, setOf] = useUrlState('of', 'all')
  const [find, setFind] = useUrlState('find')
  const [state, set] = useTableState()
  const [text, setText] = useState(find)
  const ids = useMemo(() => unpackRuns(packed), [packed])
  const asked = ids.slice(0, CHOSEN_MAX)
  const query = useQuery({ ...comparison(asked), enabled: asked.length > 0, retry: false })
  const first = query.data?.runs[0]?.experiment_id
  const experiment = useQuery({ ...q.experiment(first ?? ''), enabled: first !== undefined }).data
  const [sort] = state.order
  const order = sort && { id: sort.column, descending: sort.descending }
  const shown = { areas: of === 'all' ? (['metric', 'param', 'tag'] as const) : [of as Area], same: same === '1', find }
  const lines = query.data ? linesOf(query.data, { ...shown, order }) : []
  const base = query.data?.runs.find(({ run_id }) => run_id === state.base)
  if (asked.length === 0)
    return (
      <Page title="Compare runs">
        <Panel>
          <Empty title="Nothing to compare" action={<A href={paths.experiments()}>To the experiments</A>}>
            Choose runs in the table of an experiment.
          </Empty>
        </Panel>
      </Page>
    )
  return (
    <div className={styles.wide}>
      <Page
        title={`Compare ${plural(asked.length, 'run')}`}
        crumbs={[
          { label: 'Experiments', href: paths.experiments() },
          ...(experiment ? [{ label: experiment.name, href: paths.experiment(experiment.experiment_id) }] : []),
        ]}
        actions={
          <Button size="sm" leftSection={<IconChartLine size={15} />} onClick={() => go(chartsHref(asked, state))}>
            Charts
          </Button>
        }
      >
        {ids.length > CHOSEN_MAX && (
          <p className="soft">
            The first {count(CHOSEN_MAX)} of {count(ids.length)} runs: no more are compared at once.
          </p>
        )}
        <Panel title={same === '1' ? 'All that was logged' : 'What differs'}>
          <div className={styles.bar}>
            <TextInput
              className={styles.filter!}
              aria-label="Find a key"
              placeholder="Part of a name"
              value={text}
              onChange={(event) => {
                setText(event.currentTarget.value)
                setFind(event.currentTarget.value)
              }}
            />
            <div className={styles.tools}>
              <SegmentedControl size="sm" aria-label="Kind" data={AREAS} value={of} onChange={setOf} />
              <Button
                size="sm"
                aria-pressed={turned === '1'}
                leftSection={<IconArrowsTransferDown size={15} />}
                onClick={() => setTurned(turned === '1' ? undefined : '1')}
              >
                {turned === '1' ? 'Runs in columns' : 'Runs in rows'}
              </Button>
            </div>
            <Switch
              size="xs"
              label="Show what is equal, too"
              checked={same === '1'}
              onChange={(event) => setSame(event.currentTarget.checked ? '1' : undefined)}
            />
            {base && (
              <span className={styles.said}>
                <span>
                  Compared with <A href={paths.run(base.run_id)}>{base.name}</A>
                  <button
                    type="button"
                    className={styles.away}
                    aria-label="No baseline"
                    onClick={() => set({ base: '' })}
                  >
                    <IconX size={13} />
                  </button>
                </span>
              </span>
            )}
          </div>
          <Show query={query} what="the runs" lines={12}>
            {(data) => (
              <>
                {lines.length === 0 ? (
                  <Empty title={find ? 'No key is called like this' : 'Nothing differs'}>
                    {!find && 'Their metrics, params and tags are the same.'}
                  </Empty>
                ) : (
                  <CompareGrid
                    data={data}
                    lines={lines}
                    order={orderOf(data, lines, order)}
                    isTurned={turned === '1'}
                    state={state}
                    set={set}
                  />
                )}
                <p className={styles.foot} role="status">
                  {plural(lines.length, 'key')}
                  {data.left_out > 0 &&
                    `; ${plural(data.left_out, 'more')} left out: fewer runs leave room for more keys`}
                </p>
              </>
            )}
          </Show>
        </Panel>
      </Page>
    </div>
  )
}
