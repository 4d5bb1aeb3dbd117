import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { Problem } from '../../kit/condition.tsx'
import { count } from '../../kit/format.ts'
import { State } from '../../kit/state.tsx'
import styles from './audit.module.css'

/** Calls in a row after which a person is asked again: ten million links. */
const CALLS_MAX = 2_000

/** Whether the chain of hashes is whole: asked for by a person, told link by link. */
export function Chain() {
  const verify = useMutation({
    mutationFn: async () => {
      let cursor: string | undefined
      let checked = 0
      for (let call = 0; call < CALLS_MAX; call++) {
        const part = (
          await api.GET('/api/slipway/v1/audit/verify', { params: { query: cursor === undefined ? {} : { cursor } } })
        ).data!
        checked += part.checked
        if (!part.ok || part.next_cursor === undefined) return { ok: part.ok, checked, broken: part.broken }
        cursor = part.next_cursor
      }
      return { ok: true, checked, broken: null }
    },
  })
  const { data } = verify
  return (
    <div className={styles.chain} aria-live="polite">
      <Button loading={verify.isPending} onClick={() => verify.mutate()}>
        Verify the chain
      </Button>
      {verify.isPending && <span className="muted small">Hashing every sealed event …</span>}
      {data?.ok && <State value="ok" words={`whole: ${count(data.checked)} events hash as they were sealed`} />}
      {data && !data.ok && (
        <State value="failed" words={`broken at event ${data.broken?.event_seq}: ${data.broken?.why}`} />
      )}
      {verify.isError && <Problem error={verify.error} inline />}
    </div>
  )
}
