import { useEffect, useRef, useState } from 'react'
import type { StepRun } from '../../api/types.ts'
import { Problem } from '../../kit/condition.tsx'
import { short } from '../../kit/format.ts'
import { Panel } from '../../kit/page.tsx'
import { followLog, readLog } from './log-source.ts'
import styles from './pipelines.module.css'

/** What is kept on the page; longer logs lose their beginning here, never on the server. */
const CHARS_MAX = 400_000
const BOTTOM_PX = 40
const NOTHING = { text: '', left_out: 0 }

/** The log as it is written; it follows the end for as long as the end is in view. */
export function StepLog({ step }: { step: StepRun }) {
  const [{ text, left_out }, setLog] = useState(NOTHING)
  const [error, setError] = useState<unknown>()
  const [again, setAgain] = useState(0)
  const view = useRef<HTMLPreElement>(null)
  const follows = useRef(true)
  const live = step.state === 'running'
  const begun = step.started_ms !== null

  // biome-ignore lint/correctness/useExhaustiveDependencies: `again` asks anew after a failure
  useEffect(() => {
    if (!begun) return
    setLog(NOTHING)
    setError(undefined)
    const add = (more: string) =>
      setLog(({ text, left_out }) => {
        const all = text + more
        const kept = all.slice(-CHARS_MAX)
        return { text: kept, left_out: left_out + all.length - kept.length }
      })
    if (live) return followLog(step.id, add, setError)
    const stop = new AbortController()
    readLog(step.id, add, stop.signal).catch((problem: unknown) => !stop.signal.aborted && setError(problem))
    return () => stop.abort()
  }, [step.id, live, begun, again])

  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when text came
  useEffect(() => {
    if (follows.current && view.current) view.current.scrollTop = view.current.scrollHeight
  }, [text])

  return (
    <Panel
      title="Log"
      note={
        left_out > 0 ? (
          <>
            Its end; {short(left_out)} letters before are left out here. All of it: <code>slipway logs {step.run}</code>
          </>
        ) : live ? (
          'As it is written.'
        ) : undefined
      }
    >
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
