import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ask } from '../../api/client.ts'
import type { Attribution, Explanation, Why } from '../../api/types.ts'
import { linear } from '../../kit/charts/scale.ts'
import { Code } from '../../kit/code.tsx'
import { Problem } from '../../kit/condition.tsx'
import { measure, NONE, signed } from '../../kit/format.ts'
import styles from './why.module.css'

/** Features that the picture shows one by one; the others are one bar together. */
const SHOWN_MAX = 14

/** The request's features; with attributions, a waterfall from the usual answer to this one. */
export function Features({ why, missing }: { why: Why; missing: string | undefined }) {
  const { features, inputs } = why.prediction
  if (inputs !== null && Object.keys(features).length === 0) return <Code label="What was asked" text={inputs} />
  return why.attributions ? (
    <Waterfall explanation={why.attributions} features={features} />
  ) : (
    <>
      <table className={styles.features}>
        <caption className="sr">Features of the request</caption>
        <tbody>
          {Object.entries(features).map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{shown(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Explain prediction={why.prediction.id} missing={missing} />
    </>
  )
}

const shown = (value: unknown) =>
  value === null || value === undefined ? (
    <span className="muted">missing</span>
  ) : typeof value === 'number' ? (
    measure(value)
  ) : (
    String(value)
  )

function Explain({ prediction, missing }: { prediction: string; missing: string | undefined }) {
  const client = useQueryClient()
  const send = useMutation({
    mutationFn: () =>
      ask<Explanation>('POST', '/api/slipway/v1/predictions/{prediction}/explain', {
        params: { path: { prediction } },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['insight', 'why'] }),
  })
  return (
    <div className={styles.explain}>
      <p className="muted small">Attributions: {missing ?? 'not computed yet'}.</p>
      <Button onClick={() => send.mutate()} loading={send.isPending}>
        Compute attributions
      </Button>
      {send.isPending && (
        <span className="muted small">The model is loaded beside the server; the first one takes some seconds.</span>
      )}
      {send.isError && <Problem error={send.error} inline />}
    </div>
  )
}

interface Bar {
  name: string
  value: string
  from: number
  to: number
  by: number
}

/** From the base value, each feature's push in order of its size, to the output. */
function Waterfall({ explanation, features }: { explanation: Explanation; features: Record<string, unknown> }) {
  const base = explanation.base_value
  const bars = barsOf(explanation.attributions, features, base)
  const { output } = explanation
  const ends = [base, output, ...bars.flatMap(({ from, to }) => [from, to])]
  const [low, high] = [Math.min(...ends), Math.max(...ends)]
  const air = (high - low || 1) * 0.04
  const x = linear(low - air, high + air, 0, 100)
  return (
    <>
      <table className={styles.waterfall}>
        <caption className="sr">Attributions, largest first</caption>
        <thead>
          <tr>
            <th scope="col">Feature</th>
            <th scope="col">Value</th>
            <th scope="col" className={styles.lane}>
              <span className="sr">Push</span>
              <span className={styles.ends}>
                <i style={within(x.at(base))}>usual {minus(base)}</i>
                <i style={within(x.at(output))} data-output>
                  here {minus(output)}
                </i>
              </span>
            </th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          {bars.map(({ name, value, from, to, by }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value}</td>
              <td className={styles.lane}>
                <i className={styles.base} style={{ left: `${x.at(base)}%` }} />
                <i
                  className={styles.push}
                  data-up={by > 0 || undefined}
                  style={{
                    left: `${x.at(Math.min(from, to))}%`,
                    width: `${Math.max(0.4, Math.abs(x.at(to) - x.at(from)))}%`,
                  }}
                />
              </td>
              <td className="num">{signed(by)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="muted small">
        The pushes add up from the usual answer to this one, as {explanation.space}. Orange raises it, blue lowers it.
      </p>
    </>
  )
}

/** Words at a place of the lane, never over its ends. */
const within = (at: number) => ({ left: `${at}%`, transform: `translateX(-${at}%)` })
const minus = (value: number) => measure(value).replace('-', '−')

function barsOf(attributions: readonly Attribution[], features: Record<string, unknown>, base: number): Bar[] {
  const sorted = [...attributions].sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
  const bars: Bar[] = []
  let at = base
  const add = (name: string, value: string, by: number) => {
    bars.push({ name, value, from: at, to: at + by, by })
    at += by
  }
  for (const { feature, value } of sorted.slice(0, SHOWN_MAX)) {
    const given = features[feature]
    add(
      feature,
      given === null
        ? 'missing'
        : given === undefined
          ? NONE
          : typeof given === 'number'
            ? measure(given)
            : String(given),
      value,
    )
  }
  const rest = sorted.slice(SHOWN_MAX)
  if (rest.length > 0)
    add(
      `${rest.length} more`,
      '',
      rest.reduce((sum, { value }) => sum + value, 0),
    )
  return bars
}
