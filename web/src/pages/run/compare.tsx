import { Checkbox } from '@mantine/core'
import { useQueries } from '@tanstack/react-query'
import { q } from '../../api/queries.ts'
import { looksOf } from '../../kit/charts/curves.ts'
import { Empty, Loading, Problem } from '../../kit/condition.tsx'
import { shortId } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Page, Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import type { Drawn } from '../charts/metric-chart.tsx'
import { ChartGrid } from './charts.tsx'
import { compareRows, labelsOf } from './compare-rows.ts'
import styles from './run.module.css'

const RUNS_MAX = 8

/** Runs side by side: what differs first, then their curves in one chart each. */
export function Compare() {
  const [compare] = useUrlState('compare')
  const [same, setSame] = useUrlState('same')
  const ids = [...new Set(compare.split(',').filter(Boolean))].slice(0, RUNS_MAX)
  const runs = useQueries({ queries: ids.map((id) => q.run(id)) })
  const curves = useQueries({ queries: ids.map((id) => q.runMetrics(id)) })
  if (ids.length === 0)
    return (
      <Page title="Compare runs">
        <Panel>
          <Empty title="Nothing to compare" action={<A href={paths.experiments()}>To the experiments</A>}>
            Choose runs in the table of an experiment.
          </Empty>
        </Panel>
      </Page>
    )
  const failed = runs.find(({ isError }) => isError)
  const known = runs.flatMap(({ data }) => data ?? [])
  const labels = labelsOf(known)
  const colorOf = (id: string) => looksOf(ids.indexOf(id)).color
  const groups = new Map<string, Drawn[]>()
  for (const [at, { data }] of curves.entries()) {
    const id = ids[at]!
    for (const series of data ?? [])
      groups.set(series.key, [
        ...(groups.get(series.key) ?? []),
        {
          run_id: id,
          label: labels.get(id) ?? shortId(id),
          ...looksOf(at),
          start_ms: Date.parse(runs[at]?.data?.started ?? '') || 0,
          series,
        },
      ])
  }
  return (
    <Page
      title={`Compare ${ids.length} runs`}
      crumbs={[
        { label: 'Experiments', href: paths.experiments() },
        ...(known[0] ? [{ label: known[0].experiment.name, href: paths.experiment(known[0].experiment_id) }] : []),
      ]}
    >
      {failed && <Problem error={failed.error} />}
      {known.length < ids.length && !failed && <Loading what="the runs" />}
      {known.length > 0 && (
        <Panel
          title="What differs"
          aside={
            <Checkbox
              size="xs"
              label="Show what is equal, too"
              checked={same === '1'}
              onChange={(event) => setSame(event.currentTarget.checked ? '1' : undefined)}
            />
          }
        >
          <div className={styles.cells}>
            <table className={styles.compare}>
              <thead>
                <tr>
                  <th scope="col">
                    <span className="sr">Field</span>
                  </th>
                  {known.map((run) => (
                    <th key={run.run_id} scope="col">
                      <i style={{ background: colorOf(run.run_id) }} />
                      <A href={paths.run(run.run_id)}>{labels.get(run.run_id)}</A> <State value={run.status} />
                    </th>
                  ))}
                </tr>
              </thead>
              {(['metrics', 'params'] as const).map((of) => (
                <tbody key={of}>
                  <tr>
                    <th colSpan={known.length + 1} scope="rowgroup" className={styles.group}>
                      {of === 'metrics' ? 'Metrics' : 'Parameters'}
                    </th>
                  </tr>
                  {compareRows(known, of)
                    .filter(({ differs }) => differs || same === '1')
                    .map(({ key, values, differs }) => (
                      <tr key={key} data-differs={differs || undefined}>
                        <th scope="row">{key}</th>
                        {values.map((value, at) => (
                          <td key={known[at]!.run_id}>{value}</td>
                        ))}
                      </tr>
                    ))}
                </tbody>
              ))}
            </table>
          </div>
        </Panel>
      )}
      {groups.size > 0 && <ChartGrid groups={[...groups]} />}
    </Page>
  )
}
