import { Facts } from './page.tsx'

/** A plain object as facts: what somebody wrote in slipway.yaml, key by key. */
export function Settings({ value }: { value: object }) {
  const entries = Object.entries(value)
  if (entries.length === 0)
    return (
      <p className="muted small" style={{ padding: '0 1rem 0.8rem' }}>
        Nothing is set.
      </p>
    )
  return (
    <Facts
      list
      items={entries.map(
        ([key, inner]) =>
          [
            key.replaceAll('_', ' '),
            typeof inner === 'object' && inner !== null ? (
              <code key={key}>{JSON.stringify(inner)}</code>
            ) : (
              <span key={key}>{String(inner)}</span>
            ),
          ] as const,
      )}
    />
  )
}
