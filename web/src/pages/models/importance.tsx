import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ApiProblem, ask } from '../../api/client.ts'
import type { VersionExplanation } from '../../api/types.ts'
import { linear } from '../../kit/charts/scale.ts'
import { useWidth } from '../../kit/charts/width.ts'
import { Problem } from '../../kit/condition.tsx'
import { count, measure, signed } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { State } from '../../kit/state.tsx'
import styles from './models.module.css'

const EXPLANATION = '/api/slipway/v1/models/{model}/versions/{version}/explanation'
const FEATURES_MAX = 16
/** Dots of one feature: more cover each other. */
const DOTS_MAX = 160
const EVERY_MS = 2_000

/** What moves the answers of a version: the mean size of each feature's push, and how it spreads over rows. */
export function Importance({ model, version }: { model: string; version: number }) {
  const client = useQueryClient()
  const params = { path: { model, version } }
  const queryKey = ['explain', 'global', model, version]
  const query = useQuery({
    queryKey,
    queryFn: async ({ signal }) => {
      try {
        return await ask<VersionExplanation>('GET', EXPLANATION, { params, signal })
      } catch (error) {
        // Not explained yet is an answer, not a mistake.
        if (error instanceof ApiProblem && error.status === 404) return null
        throw error
      }
    },
    refetchInterval: ({ state }) => (state.data?.state === 'waiting' ? EVERY_MS : false),
  })
  const compute = useMutation({
    mutationFn: () => ask('POST', EXPLANATION, { params }),
    onSuccess: () => client.invalidateQueries({ queryKey }),
  })
  const found = query.data
  if (query.isPending) return null
  const rows = found?.rows ? ` over ${count(found.rows)} rows of its training data` : ''
  return (
    <Panel
      title="What moves its answers"
      note={
        found?.importance
          ? `Mean absolute SHAP value of each feature${rows}, as ${found.space}. Each dot is a row; brighter is a higher value.`
          : (found?.reason ?? 'Not computed yet.')
      }
      aside={
        found?.state === 'waiting' ? (
          <State value="running" words="is computed" />
        ) : (
          !found?.importance && (
            <Button loading={compute.isPending} onClick={() => compute.mutate()}>
              Compute
            </Button>
          )
        )
      }
    >
      {query.isError && <Problem error={query.error} inline />}
      {compute.isError && <Problem error={compute.error} inline />}
      {found?.importance && <Features found={found} />}
    </Panel>
  )
}

function Features({ found }: { found: VersionExplanation }) {
  const importance = found.importance!.slice(0, FEATURES_MAX)
  const most = importance[0]?.value || 1
  const swarm = found.beeswarm
  const all = swarm?.attributions.flat() ?? []
  const reach = Math.max(1e-9, ...all.map(Math.abs))
  return (
    <ol className={styles.importance}>
      {importance.map(({ feature, value }) => {
        const at = swarm?.features.indexOf(feature) ?? -1
        return (
          <li key={feature}>
            <span className="clip" title={feature}>
              {feature}
            </span>
            <span className={styles.size}>
              <i style={{ width: `${(value / most) * 100}%` }} />
              <span className="num">{measure(value)}</span>
            </span>
            {swarm && at >= 0 && (
              <Swarm
                feature={feature}
                reach={reach}
                pushes={swarm.attributions.map((row) => row[at]!)}
                values={swarm.inputs.map((row) => row[at])}
              />
            )}
          </li>
        )
      })}
    </ol>
  )
}

const HEIGHT = 26

function Swarm({
  feature,
  reach,
  pushes,
  values,
}: {
  feature: string
  reach: number
  pushes: readonly number[]
  values: readonly unknown[]
}) {
  const [ref, width] = useWidth<HTMLDivElement>(320)
  const x = linear(-reach, reach, 4, width - 4)
  const step = Math.max(1, Math.ceil(pushes.length / DOTS_MAX))
  const numbers = values.filter((value): value is number => typeof value === 'number').sort((a, b) => a - b)
  const [low, high] = [numbers[Math.floor(numbers.length * 0.05)] ?? 0, numbers[Math.floor(numbers.length * 0.95)] ?? 1]
  const bright = (value: unknown) =>
    typeof value === 'number' ? Math.min(1, Math.max(0, (value - low) / (high - low || 1))) : 0.5
  return (
    <div ref={ref} className={styles.swarm}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={`Pushes of ${feature}: ${signed(Math.min(...pushes))} to ${signed(Math.max(...pushes))}`}
      >
        <line x1={x.at(0)} x2={x.at(0)} y1={0} y2={HEIGHT} />
        {pushes.map((push, row) =>
          row % step === 0 ? (
            <circle
              // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place in the sample
              key={row}
              cx={x.at(push)}
              // Spread by a fixed pattern, so that the picture is the same each time.
              cy={HEIGHT / 2 + (((row * 7919) % 17) / 16 - 0.5) * (HEIGHT - 8)}
              r={2}
              style={{ fill: `color-mix(in srgb, var(--s2) ${Math.round(bright(values[row]) * 100)}%, var(--s7))` }}
            />
          ) : null,
        )}
      </svg>
    </div>
  )
}
