import { Button, MultiSelect } from '@mantine/core'
import { useMemo, useState } from 'react'
import { useWidth } from '../../kit/charts/width.ts'
import { Empty } from '../../kit/condition.tsx'
import { count, measure, plural } from '../../kit/format.ts'
import { A } from '../../kit/link.tsx'
import { Panel } from '../../kit/page.tsx'
import { useUrlState } from '../../kit/url-state.ts'
import { paths } from '../../paths.ts'
import { packRuns } from '../runs/run-ids.ts'
import { AxisColumn, type AxisPlace } from './axis-column.tsx'
import { axisScale, type Brush, both, brushesOf, brushText, filterOf, heightOf, inside } from './brush.ts'
import styles from './charts.module.css'
import { ramp } from './colors.ts'
import { differing, type Frame } from './columns.ts'

const AXES_MAX = 14
const PARAMS_AT_FIRST = 6
const METRICS_AT_FIRST = 3
const AXIS_PX_MIN = 96
const HEIGHT = 360
const PAD = { top: 44, bottom: 26, side: 62 }

/** Each run a line across what it was made with and what came out. A brush on an axis keeps the runs that pass it. */
export function Parallel({ frame }: { frame: Frame }) {
  const [ref, width] = useWidth<HTMLDivElement>(900)
  const [picked, setPicked] = useUrlState('axes')
  const [brush, setBrush] = useUrlState('brush')
  const [experiment] = useUrlState('experiment')
  const [filter, setFilter] = useUrlState('filter')
  const [, setRuns] = useUrlState('runs')
  const [lit, setLit] = useState<number>()
  const axes = useMemo(
    () =>
      (picked ? picked.split('|') : firstAxes(frame))
        .flatMap((name) => frame.columns.find((column) => column.name === name) ?? [])
        .slice(0, AXES_MAX)
        .map(axisScale),
    [frame, picked],
  )
  const brushes = brushesOf(brush)
  const kept = inside(frame, axes, brushes)
  const keptCount = kept.filter(Boolean).length
  const set = (next: Brush | undefined, name: string) =>
    setBrush(brushText([...brushes.filter((each) => each.name !== name), ...(next ? [next] : [])]))
  const take = () => {
    if (experiment) setFilter(both(filter, filterOf(axes, brushes)))
    else setRuns(packRuns(frame.rows.filter((_, at) => kept[at]).map(({ run_id }) => run_id)))
    setBrush(undefined)
  }
  const wide = Math.max(width, PAD.side * 2 + (axes.length - 1) * AXIS_PX_MIN)
  const x = (at: number) => PAD.side + (axes.length > 1 ? (at / (axes.length - 1)) * (wide - 2 * PAD.side) : 0)
  const y = (height: number) => HEIGHT - PAD.bottom - height * (HEIGHT - PAD.top - PAD.bottom)
  const last = axes.at(-1)
  const pathOf = (row: number) => {
    let path = ''
    for (const [at, axis] of axes.entries()) {
      const height = heightOf(axis, axis.column.values[row])
      // A run without the value breaks its line here.
      if (height !== undefined)
        path += `${path && broken(axes, row, at) ? 'L' : 'M'}${x(at).toFixed(1)} ${y(height).toFixed(1)}`
    }
    return path
  }
  return (
    <Panel
      title="Parallel coordinates"
      note={`${plural(frame.rows.length, 'run')}; drag along an axis to keep the runs that pass it there. Colour is by the last axis.`}
    >
      <div className={styles.picks}>
        <MultiSelect
          label="Axes, from left to right"
          size="xs"
          searchable
          hidePickedOptions
          maxValues={AXES_MAX}
          limit={100}
          data={frame.columns.map(({ name }) => name)}
          value={axes.map(({ column }) => column.name)}
          onChange={(next) => setPicked(next.join('|'))}
          w="min(46rem, 100%)"
        />
      </div>
      <div ref={ref} className={styles.axes}>
        {axes.length < 2 ? (
          <Empty title="Nothing to draw">
            The runs do not differ in two things, or fewer than two axes are chosen.
          </Empty>
        ) : (
          // biome-ignore lint/a11y/useSemanticElements: a drawing with parts that are reached one by one
          <svg
            width={wide}
            height={HEIGHT}
            role="group"
            aria-label={`${plural(frame.rows.length, 'run')} over ${axes.map(({ column }) => column.name).join(', ')}; ${keptCount} kept`}
            onPointerLeave={() => setLit(undefined)}
          >
            {frame.rows.map(({ run_id }, row) => {
              const height = last && heightOf(last, last.column.values[row])
              return (
                <path
                  key={run_id}
                  d={pathOf(row)}
                  className={styles.runLine}
                  {...(kept[row] && { stroke: height === undefined ? 'var(--idle-mark)' : ramp(height) })}
                  data-out={!kept[row] || undefined}
                  data-lit={lit === row || undefined}
                  onPointerEnter={() => setLit(row)}
                />
              )
            })}
            {axes.map((axis, at) => (
              <AxisColumn
                key={axis.column.name}
                axis={axis}
                place={{ x: x(at), top: PAD.top, bottom: HEIGHT - PAD.bottom } satisfies AxisPlace}
                brush={brushes.find(({ name }) => name === axis.column.name)}
                onBrush={(next) => set(next, axis.column.name)}
              />
            ))}
          </svg>
        )}
      </div>
      <div className={styles.brushes} aria-live="polite">
        {lit !== undefined && brushes.length === 0 && (
          <span>
            {frame.rows[lit]!.name}:{' '}
            {axes.map(({ column }) => `${column.key} ${measure(column.values[lit] ?? null)}`).join(', ')}
          </span>
        )}
        {brushes.length > 0 && (
          <>
            <span>
              {count(keptCount)} of {plural(frame.rows.length, 'run')}: <code>{filterOf(axes, brushes)}</code>
            </span>
            <Button size="compact-xs" disabled={keptCount === 0} onClick={take}>
              Keep only these
            </Button>
            {experiment && (
              <A href={paths.experiment(experiment, { filter: both(filter, filterOf(axes, brushes)) })}>As a table</A>
            )}
            <Button size="compact-xs" variant="default" onClick={() => setBrush(undefined)}>
              Clear
            </Button>
          </>
        )}
      </div>
    </Panel>
  )
}

const broken = (axes: readonly { column: { values: readonly unknown[] } }[], row: number, at: number) =>
  axes[at - 1]?.column.values[row] !== null

function firstAxes(frame: Frame): string[] {
  const columns = differing(frame.columns)
  const of = (kind: string, most: number) => columns.filter((column) => column.kind === kind).slice(0, most)
  return [...of('params', PARAMS_AT_FIRST), ...of('metrics', METRICS_AT_FIRST)].map(({ name }) => name)
}
