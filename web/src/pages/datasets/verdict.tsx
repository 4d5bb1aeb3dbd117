import { Button, Textarea } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { q } from '../../api/queries.ts'
import { Empty, Problem, Show } from '../../kit/condition.tsx'
import { count, percent } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { Mark, State } from '../../kit/state.tsx'
import { Time } from '../../kit/time.tsx'
import styles from './dataset.module.css'

/** What was expected, what was found, with the rows that failed; and a person's word when they are taken all the same. */
export function VerdictPanel({ name, version, verdict }: { name: string; version: string; verdict: string }) {
  const query = useQuery({ ...q.verdict(name, version), enabled: verdict !== 'none' })
  const rights = useQuery(q.me()).data?.rights ?? []
  if (verdict === 'none')
    return (
      <Panel>
        <Empty title="No checks are stated for this dataset" command="npm run -s slipway -- apply">
          Add <code>checks:</code> to the dataset in <code>slipway.yaml</code>; new versions are judged before a run may
          read them.
        </Empty>
      </Panel>
    )
  return (
    <Show query={query} what="the verdict">
      {(admission) => {
        const found = admission.verdict
        if (!found)
          return (
            <Panel>
              <Empty title={admission.pending ? 'It is checked now' : 'There is no verdict'}>{admission.reason}</Empty>
            </Panel>
          )
        return (
          <Panel
            title={admission.may ? 'May be the input of a run' : 'Is not taken as an input'}
            note={admission.reason ?? `${found.counts.passed} of ${found.counts.checks} checks passed.`}
            aside={<State value={found.state} words={found.override ? 'failed, accepted by a person' : undefined} />}
          >
            {found.override && (
              <p className={styles.note}>
                Accepted by {found.override.who.name}, <Time at={found.override.at} />: {found.override.reason}
              </p>
            )}
            <ul className={styles.checks}>
              {found.results.map((result) => (
                <li key={result.name}>
                  <Mark tone={result.passed ? 'ok' : result.severity === 'warn' ? 'wait' : 'bad'} size={11} />
                  <div>
                    <p>
                      <strong>{result.name}</strong> <span className="sr">{result.passed ? 'passed' : 'failed'}</span>
                    </p>
                    <p className="soft small">
                      Expected {result.expected}; {result.error ?? result.observed}
                      {result.unexpected !== null &&
                        result.unexpected > 0 &&
                        ` (${count(result.unexpected)} of ${count(result.evaluated)}, ${percent(result.unexpected_share, 2)})`}
                    </p>
                    {result.rows.length > 0 && (
                      <details>
                        <summary className="small">The first {count(result.rows.length)} rows that failed</summary>
                        <ul className={styles.failing}>
                          {result.rows.map(({ row, values }) => (
                            <li key={row}>
                              <span className="muted num">row {count(row)}</span>{' '}
                              <code>
                                {Object.entries(values)
                                  .map(([key, value]) => `${key} = ${value}`)
                                  .join(', ')}
                              </code>
                            </li>
                          ))}
                        </ul>
                      </details>
                    )}
                  </div>
                </li>
              ))}
            </ul>
            {found.state === 'failed' && !found.override && rights.includes('quality.write') && (
              <Accept name={name} version={version} />
            )}
          </Panel>
        )
      }}
    </Show>
  )
}

function Accept({ name, version }: { name: string; version: string }) {
  const client = useQueryClient()
  const [reason, setReason] = useState('')
  const send = useMutation({
    mutationFn: () =>
      api.POST('/api/slipway/v1/datasets/{name}/versions/{version}/override', {
        params: { path: { name, version } },
        body: { reason: reason.trim() },
      }),
    onSuccess: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[0] === 'quality' || queryKey[0] === 'datasets',
      }),
  })
  return (
    <form
      className={styles.accept}
      onSubmit={(event) => {
        event.preventDefault()
        if (reason.trim()) send.mutate()
      }}
    >
      <Textarea
        label="Accept it all the same"
        description="Why these data are fit to be used; kept in the audit."
        autosize
        minRows={1}
        maxLength={1000}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        className="grow"
      />
      <Button type="submit" disabled={!reason.trim()} loading={send.isPending}>
        Accept
      </Button>
      {send.isError && <Problem error={send.error} inline />}
    </form>
  )
}
