import { Button, Checkbox, SegmentedControl, Slider } from '@mantine/core'
import { type ReactNode, useMemo } from 'react'
import { type Axis, axisOf, rangeOf, rangeText } from '../../kit/charts/curves.ts'
import { useUrlState } from '../../kit/url-state.ts'
import styles from './charts.module.css'

/** How curves are drawn; all of it stands in the address. */
export interface ChartOptions {
  axis: Axis
  /** Weight of the past, 0 to below 1. */
  smooth: number
  log: boolean
  clip: boolean
  zoom: readonly [from: number, to: number] | undefined
  setZoom(range: readonly [number, number] | undefined): void
}

export function useChartOptions(): ChartOptions {
  const [x] = useUrlState('x', 'step')
  const [smooth] = useUrlState('smooth', '0')
  const [log] = useUrlState('log')
  const [clip] = useUrlState('clip')
  const [zoom, setZoom] = useUrlState('zoom')
  return useMemo(
    () => ({
      axis: axisOf(x),
      smooth: Math.min(0.99, Math.max(0, Number(smooth) || 0)),
      log: log === '1',
      clip: clip === '1',
      zoom: rangeOf(zoom),
      setZoom: (range) => setZoom(rangeText(range)),
    }),
    [x, smooth, log, clip, zoom, setZoom],
  )
}

export function ChartControls({ children }: { children?: ReactNode }) {
  const { axis, smooth, log, clip, zoom, setZoom } = useChartOptions()
  const [, setAxis] = useUrlState('x', 'step')
  const [, setSmooth] = useUrlState('smooth', '0')
  const [, setLog] = useUrlState('log')
  const [, setClip] = useUrlState('clip')
  return (
    <div className={styles.controls}>
      <SegmentedControl
        aria-label="Axis"
        data={[
          { value: 'step', label: 'Step' },
          { value: 'time', label: 'Time' },
          { value: 'relative', label: 'Since start' },
        ]}
        value={axis}
        onChange={(next) => {
          // A range of one axis says nothing on another.
          setZoom(undefined)
          setAxis(next)
        }}
      />
      <div className={styles.smooth}>
        <span aria-hidden="true">Smoothing</span>
        <Slider
          size="sm"
          w={110}
          min={0}
          max={0.98}
          step={0.02}
          value={smooth}
          onChange={(value) => setSmooth(String(value))}
          label={(value) => value.toFixed(2)}
          thumbLabel="Smoothing"
        />
      </div>
      <Checkbox
        size="xs"
        label="Logarithmic"
        checked={log}
        onChange={(event) => setLog(event.currentTarget.checked ? '1' : undefined)}
      />
      <Checkbox
        size="xs"
        label="Without outliers"
        checked={clip}
        onChange={(event) => setClip(event.currentTarget.checked ? '1' : undefined)}
      />
      {zoom && (
        <Button size="compact-xs" variant="default" onClick={() => setZoom(undefined)}>
          Show all of the axis
        </Button>
      )}
      {children}
    </div>
  )
}
