import { useEffect, useRef, useState } from 'react'
import { ApiProblem, address, ask } from '../../api/client.ts'
import type { StepRun } from '../../api/types.ts'
import { Problem } from '../../kit/condition.tsx'
import { Panel } from '../../kit/page.tsx'
import styles from './pipelines.module.css'

/** What is kept on the page; longer logs lose their beginning here, never on the server. */
const CHARS_MAX = 400_000
const BOTTOM_PX = 40

/** The log as it is written; it follows the end for as long as the end is in view. */
export function StepLog({ step }: { step: StepRun }) {
  const [text, setText] = useState('')
  const [error, setError] = useState<unknown>()
  const [again, setAgain] = useState(0)
  const view = useRef<HTMLPreElement>(null)
  const follows = useRef(true)
  const live = step.state === 'running'
  const begun = step.started_ms !== null

  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` asks anew after a failure
  useEffect(() => {
    if (!begun) return
    setText('')
    setError(undefined)
    const add = (more: string) => setText((before) => (before + more).slice(-CHARS_MAX))
    if (!live) {
      const stop = new AbortController()
      ask<{ text: string }>('GET', '/api/slipway/v1/steps/{step}/log', {
        params: { path: { step: step.id } },
        signal: stop.signal,
      })
        .then((part) => add(part.text))
        .catch((problem: unknown) => !stop.signal.aborted && setError(problem))
      return () => stop.abort()
    }
    const source = new EventSource(address(`/steps/${step.id}/log`, { follow: 'true' }))
    source.addEventListener('log', (message) => add((JSON.parse(message.data) as { text: string }).text))
    source.addEventListener('ended', () => source.close())
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED)
        setError(new ApiProblem(0, { detail: 'the log cannot be followed', title: 'unavailable' }))
    }
    return () => source.close()
  }, [step.id, live, begun, again])

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when text came
  useEffect(() => {
    if (follows.current && view.current) view.current.scrollTop = view.current.scrollHeight
  }, [text])

  return (
    <Panel title="Log" note={live ? 'As it is written.' : undefined}>
      {error !== undefined && <Problem error={error} inline retry={() => setAgain(again + 1)} />}
      <pre
        className={styles.log}
        ref={view}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrolls
        tabIndex={0}
        role="log"
        aria-label={`Log of ${step.name}`}
        aria-live="off"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
          follows.current = scrollHeight - scrollTop - clientHeight < BOTTOM_PX
        }}
      >
        {text ||
          (begun
            ? step.state === 'cached'
              ? 'Taken from the cache: nothing was run.'
              : live
                ? 'Nothing is written yet.'
                : 'It wrote nothing.'
            : 'It has not begun.')}
      </pre>
    </Panel>
  )
}
