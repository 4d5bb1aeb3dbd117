/** What stands in place of content: not yet, nothing, not allowed, not possible. Each says what to do next. */
import { Button, Skeleton } from '@mantine/core'
import type { UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useEffect, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import styles from './condition.module.css'
import { A } from './link.tsx'
import { Command } from './page.tsx'

/** After this a person wonders; then it is said what is waited for. */
const SAY_MS = 1_000

export function Loading({ what, lines = 6 }: { what: string; lines?: number }) {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(true), SAY_MS)
    return () => window.clearTimeout(timer)
  }, [])
  return (
    <div className={styles.loading} role="status" aria-label={`Loading ${what}`}>
      {late && <p className="muted small">Loading {what} …</p>}
      {Array.from({ length: lines }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <Skeleton key={at} height={14} width={`${92 - ((at * 23) % 47)}%`} radius={3} />
      ))}
    </div>
  )
}

export function Empty({
  title,
  children,
  command,
  action,
}: {
  title: string
  children?: ReactNode
  command?: string
  action?: ReactNode
}) {
  return (
    <div className={styles.empty}>
      <svg viewBox="0 0 120 40" width="120" height="40" aria-hidden="true">
        <path d="M6 10 84 30v4L6 15z" fill="var(--line-2)" opacity="0.6" />
        <path
          d="M2 37c7 0 7-3 14-3s7 3 14 3 7-3 14-3 7 3 14 3 7-3 14-3 7 3 14 3 7-3 14-3 7 3 14 3"
          fill="none"
          stroke="var(--line-2)"
          strokeWidth="1.6"
          strokeLinecap="round"
        />
      </svg>
      <p className={styles.emptyTitle}>{title}</p>
      {children && <div className="soft">{children}</div>}
      {command && <Command>{command}</Command>}
      {action}
    </div>
  )
}

const TITLES: Record<string, string> = {
  forbidden: 'Not yours to see',
  'not-found': 'Not here',
  unavailable: 'No answer',
  internal: 'Something broke on our side',
}

/** A refusal in the server's own words: what, why, what helps, and a way to try again. */
export function Problem({ error, retry, inline }: { error: unknown; retry?: () => void; inline?: boolean }) {
  const problem = error instanceof ApiProblem ? error : undefined
  const kind = problem?.problem ?? 'internal'
  return (
    <div className={inline ? styles.inline : styles.problem} role="alert" data-kind={kind}>
      <div>
        <p className={styles.problemTitle}>{TITLES[kind] ?? 'This was refused'}</p>
        <p>{sentence(problem?.message ?? (error instanceof Error ? error.message : String(error)))}</p>
        {problem?.remedy && <p className="soft">{sentence(problem.remedy)}</p>}
        {problem?.request_id && problem.status >= 500 && (
          <p className="muted small">
            Request <code>{problem.request_id}</code> is in the server's log.
          </p>
        )}
      </div>
      <div className="row">
        {retry && kind !== 'forbidden' && <Button onClick={retry}>Try again</Button>}
        {kind === 'not-found' && !inline && <A href="/">To the overview</A>}
      </div>
    </div>
  )
}

const sentence = (text: string) => {
  const upper = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?…]$/.test(upper) ? upper : `${upper}.`
}

/** Content of a query, or what stands in its place. What was there stays while it is fetched anew, also when that fails. */
export function Show<T>({
  query,
  what,
  children,
  lines,
}: {
  query: UseQueryResult<T>
  what: string
  children: (data: T) => ReactNode
  lines?: number
}) {
  if (query.data !== undefined) {
    return (
      <>
        {query.isError && <Problem error={query.error} retry={() => void query.refetch()} inline />}
        {children(query.data)}
      </>
    )
  }
  if (query.isError) return <Problem error={query.error} retry={() => void query.refetch()} />
  return <Loading what={what} {...(lines !== undefined && { lines })} />
}
