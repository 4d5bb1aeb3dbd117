import { Button, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useLocation } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { dashOf } from '../../kit/charts/curves.ts'
import { Legend } from '../../kit/charts/legend.tsx'
import { Empty, Loading, Problem } from '../../kit/condition.tsx'
import { count } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { labelsOf } from '../run/compare-rows.ts'
import { packRuns, unpackRuns } from '../runs/run-ids.ts'
import { colorOf, colorVar, readState } from '../runs/state.ts'
import styles from './charts.module.css'
import type { Frame } from './columns.ts'
import { type Curves as CurvesReply, curvesQuery, RUNS_MAX } from './data.ts'
import { type Drawn, MetricChart } from './metric-chart.tsx'
import { ChartControls, type ChartOptions, useChartOptions } from './options.tsx'

/** Charts drawn before a person asks for more. */
const CHARTS_AT_ONCE = 8
/** New points of runs under way are asked for at this pace: they are seen within two seconds. */
const LIVE_MS = 1_500

type Looks = Map<string, { label: string; color: string; dash: string | undefined }>

/** Every metric of the runs, one chart each; a click on a run in the legend takes its lines out of all. */
export function Curves({ frame, all }: { frame: Frame; all: number }) {
  const options = useChartOptions()
  const [keys, setKeys] = useUrlState('keys')
  const [hide, setHide] = useUrlState('hidden')
  const { searchStr } = useLocation()
  const [shown, setShown] = useState(CHARTS_AT_ONCE)
  const [hover, setHover] = useState<number>()
  const hidden = useMemo(() => new Set(unpackRuns(hide)), [hide])
  const colors = useMemo(() => readState(searchStr).colors, [searchStr])
  const looks: Looks = useMemo(() => {
    const labels = labelsOf(frame.rows)
    const met = new Map<number, number>()
    return new Map(
      frame.rows.map(({ run_id }) => {
        const color = colorOf(run_id, colors)
        met.set(color, (met.get(color) ?? -1) + 1)
        return [run_id, { label: labels.get(run_id)!, color: colorVar(color), dash: dashOf(met.get(color)!) }]
      }),
    )
  }, [frame.rows, colors])
  const run_ids = useMemo(() => frame.rows.map(({ run_id }) => run_id), [frame.rows])
  const visible = useMemo(() => run_ids.filter((id) => !hidden.has(id)), [run_ids, hidden])
  const running = useMemo(
    () => frame.rows.filter(({ status }) => status === 'RUNNING').map(({ run_id }) => run_id),
    [frame.rows],
  )
  const metrics = frame.columns.filter(({ kind }) => kind === 'metrics').map(({ key }) => key)
  const wanted = metrics.filter((key) => key.toLowerCase().includes(keys.toLowerCase()))
  const toggle = (id: string) => {
    const next = new Set(hidden)
    if (!next.delete(id)) next.add(id)
    setHide(packRuns([...next]))
  }
  return (
    <>
      <ChartControls>
        <TextInput
          size="xs"
          placeholder="Metrics named …"
          aria-label="Metrics named"
          value={keys}
          onChange={(event) => setKeys(event.currentTarget.value)}
          className={styles.filter!}
        />
      </ChartControls>
      {all > run_ids.length && (
        <p className="muted small">
          Curves of the first {RUNS_MAX} of {count(all)} runs.
        </p>
      )}
      <Legend lines={[...looks].map(([key, look]) => ({ key, ...look }))} hidden={hidden} onToggle={toggle} />
      {wanted.length === 0 ? (
        <Panel>
          <Empty title={keys ? `No metric has “${keys}” in its name` : 'No metric was logged'} />
        </Panel>
      ) : (
        <div className={styles.charts}>
          {wanted.slice(0, shown).map((key) => (
            <Metric
              key={key}
              name={key}
              run_ids={run_ids}
              visible={visible}
              running={running}
              looks={looks}
              options={options}
              hover={hover}
              onHover={setHover}
            />
          ))}
        </div>
      )}
      {wanted.length > shown && (
        <div>
          <Button variant="default" onClick={() => setShown(shown + 2 * CHARTS_AT_ONCE)}>
            Draw more of the other {count(wanted.length - shown)}
          </Button>
        </div>
      )}
    </>
  )
}

function Metric({
  name,
  run_ids,
  visible,
  running,
  looks,
  options,
  hover,
  onHover,
}: {
  name: string
  run_ids: readonly string[]
  visible: readonly string[]
  running: readonly string[]
  looks: Looks
  options: ChartOptions
  hover: number | undefined
  onHover: (x: number | undefined) => void
}) {
  const query = useQuery({ ...curvesQuery({ run_ids, keys: [name] }), staleTime: Number.POSITIVE_INFINITY })
  const live = useQuery({
    ...curvesQuery({ run_ids: running, keys: [name] }),
    enabled: running.length > 0,
    refetchInterval: ({ state }) => (state.data?.runs.some(({ status }) => status === 'RUNNING') ? LIVE_MS : false),
  }).data
  const drawn = useMemo(() => drawnOf(query.data, live, visible, looks), [query.data, live, visible, looks])
  if (query.isError) return <Problem error={query.error} retry={() => void query.refetch()} inline />
  if (!query.data)
    return (
      <Panel title={name}>
        <Loading what={name} lines={5} />
      </Panel>
    )
  return <MetricChart name={name} drawn={drawn} options={options} hover={hover} onHover={onHover} />
}

function drawnOf(
  settled: CurvesReply | undefined,
  live: CurvesReply | undefined,
  visible: readonly string[],
  looks: Looks,
): Drawn[] {
  const series = new Map([...(settled?.series ?? []), ...(live?.series ?? [])].map((each) => [each.run_id, each]))
  const starts = new Map(settled?.runs.map(({ run_id, start_ms }) => [run_id, start_ms]))
  return visible.flatMap((run_id) => {
    const found = series.get(run_id)
    return found ? [{ run_id, ...looks.get(run_id)!, start_ms: starts.get(run_id) ?? 0, series: found }] : []
  })
}
