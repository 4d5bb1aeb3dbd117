import { useMemo } from 'react'
import type { MonitorWindow } from '../../api/types.ts'
import { day, dayShort, measure } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import styles from './monitor.module.css'

/** Steps of the colour, in multiples of the limit: below half, below, above, more than twice. */
const STEPS = [0.5, 1, 2] as const

/** PSI of each feature in each window against the training data of the version that answered. */
export function HeatMap({
  windows,
  limit,
  chosen,
  feature,
  onPick,
}: {
  windows: readonly MonitorWindow[]
  limit: number
  chosen: number
  feature: string
  onPick: (start_ms: number, feature: string) => void
}) {
  const rows = useMemo(() => {
    const most = new Map<string, number>()
    for (const { facts } of windows)
      for (const { feature: name, psi } of facts.drift) most.set(name, Math.max(most.get(name) ?? 0, psi ?? 0))
    return [...most].sort((a, b) => b[1] - a[1]).map(([name]) => name)
  }, [windows])
  const cells = useMemo(
    () =>
      new Map(
        windows.map((window) => [window.start_ms, new Map(window.facts.drift.map((each) => [each.feature, each]))]),
      ),
    [windows],
  )
  if (rows.length === 0) return null
  const every = Math.max(1, Math.ceil(windows.length / 12))
  return (
    <Panel
      title="Features"
      note={`PSI of each feature by window; above ${limit} it counts as drifted. A cell opens both distributions below.`}
      aside={
        <ul className={styles.scale} aria-label="Colours">
          {['calm', 'moving', 'drifted', 'far off'].map((words, level) => (
            <li key={words}>
              <i data-level={level} />
              {words}
            </li>
          ))}
        </ul>
      }
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrolls sideways */}
      <section className={styles.heatScroll} tabIndex={0} aria-label="Drift of the features by window">
        <table className={styles.heat}>
          <thead>
            <tr>
              <th scope="col">Feature</th>
              {windows.map(({ start_ms }, at) => (
                <th key={start_ms} scope="col">
                  <b className="sr">{day(start_ms)}</b>
                  {start_ms === chosen ? (
                    <span className={styles.caret} aria-hidden="true">
                      ▾
                    </span>
                  ) : at % every === 0 ? (
                    <span aria-hidden="true">{dayShort(start_ms)}</span>
                  ) : null}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((name) => (
              <tr key={name}>
                <th scope="row" data-chosen={name === feature || undefined}>
                  {name}
                </th>
                {windows.map(({ start_ms }) => {
                  const drift = cells.get(start_ms)?.get(name)
                  const psi = drift?.psi ?? null
                  const words = `${name}, ${day(start_ms)}: PSI ${measure(psi)}${drift?.ks === null || drift === undefined ? '' : `, KS ${measure(drift.ks)}`}`
                  return (
                    <td key={start_ms}>
                      {psi === null ? (
                        <i data-level="none" title={words} />
                      ) : (
                        <button
                          type="button"
                          data-level={levelOf(psi, limit)}
                          data-chosen={(start_ms === chosen && name === feature) || undefined}
                          aria-label={words}
                          title={words}
                          onClick={() => onPick(start_ms, name)}
                        />
                      )}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </Panel>
  )
}

const levelOf = (psi: number, limit: number): number => STEPS.filter((step) => psi > step * limit).length
