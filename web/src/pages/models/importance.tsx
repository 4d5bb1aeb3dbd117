import { useQuery } from '@tanstack/react-query'
import { ask } from '../../api/client.ts'
import { count, measure } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import styles from './models.module.css'

interface Explained {
  state?: string
  reason?: string | null
  rows?: number
  importance?: { feature: string; value: number }[]
}

const SHOWN_MAX = 20

/** Mean size of each feature's push over a sample of the training data. */
export function Importance({ model, version }: { model: string; version: number }) {
  const { data } = useQuery({
    queryKey: ['explain', 'global', model, version],
    queryFn: ({ signal }) =>
      ask<Explained>('GET', '/api/slipway/v1/models/{model}/versions/{version}/explanation', {
        params: { path: { model, version } },
        signal,
      }),
    retry: false,
  })
  const features = data?.importance
  if (!data || !features?.length) return null
  const sorted = [...features].sort((a, b) => b.value - a.value).slice(0, SHOWN_MAX)
  const most = sorted[0]!.value || 1
  return (
    <Panel
      title="What moves its answers"
      note={`Mean absolute SHAP value${data.rows ? ` over ${count(data.rows)} rows` : ''}.`}
    >
      <ol className={styles.importance}>
        {sorted.map(({ feature, value }) => (
          <li key={feature}>
            <span className="clip">{feature}</span>
            <i style={{ width: `${(value / most) * 100}%` }} />
            <span className="num">{measure(value)}</span>
          </li>
        ))}
      </ol>
    </Panel>
  )
}
