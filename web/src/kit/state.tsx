import { Tooltip } from '@mantine/core'
import type { ReactNode } from 'react'
import styles from './state.module.css'

export type Tone = 'ok' | 'run' | 'wait' | 'bad' | 'back' | 'idle'

/** What each word of the platform means for a person who only sees its colour and mark. */
const TONES: Record<string, Tone> = {
  ok: 'ok',
  live: 'ok',
  passed: 'ok',
  done: 'ok',
  finished: 'ok',
  ready: 'ok',
  cached: 'ok',
  approved: 'ok',
  cleared: 'ok',
  computed: 'ok',
  succeeded: 'ok',
  wanted: 'ok',
  none: 'idle',
  running: 'run',
  checking: 'run',
  loading: 'run',
  training: 'run',
  collecting: 'run',
  active: 'run',
  waiting: 'wait',
  proposed: 'wait',
  canary: 'wait',
  pending: 'wait',
  queued: 'wait',
  scheduled: 'wait',
  dirty: 'wait',
  retrying: 'wait',
  warned: 'wait',
  fallback: 'wait',
  failed: 'bad',
  refused: 'bad',
  open: 'bad',
  error: 'bad',
  killed: 'bad',
  dead: 'bad',
  given_up: 'bad',
  rolled_back: 'back',
  revised: 'back',
  cancelled: 'back',
  canceled: 'back',
  superseded: 'idle',
  retired: 'idle',
  skipped: 'idle',
  'not-applicable': 'idle',
  deleted: 'idle',
  revoked: 'idle',
}
export const toneOf = (state: string): Tone => TONES[state.toLowerCase()] ?? 'idle'
export const wordsOf = (state: string): string => {
  const words = state.toLowerCase().replaceAll('_', ' ').replaceAll('-', ' ')
  return words === 'not applicable' ? 'does not apply' : words
}

/** The mark: its shape says what its colour says; words stand beside it, so it is hidden from screen readers. */
export function Mark({ tone, size = 10 }: { tone: Tone; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 10 10" aria-hidden="true" className={styles.mark} data-tone={tone}>
      <Shape tone={tone} />
    </svg>
  )
}

function Shape({ tone }: { tone: Tone }) {
  switch (tone) {
    case 'ok':
      return <circle cx="5" cy="5" r="4.5" />
    case 'run':
      return (
        <circle
          cx="5"
          cy="5"
          r="3.6"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeDasharray="15 8"
          className={styles.spin}
        />
      )
    case 'wait':
      return <path d="M5 0.2 9.8 5 5 9.8 0.2 5z" />
    case 'bad':
      return <path d="M5 0.4 10 9.4H0z" />
    case 'back':
      return <path d="M0.3 5 5.2 0.6v2.6h4.5v3.6H5.2v2.6z" />
    default:
      return <circle cx="5" cy="5" r="3.7" fill="none" stroke="currentColor" strokeWidth="1.6" />
  }
}

/** A state as a chip: mark, word, colour. `words` where the plain state word would say too little. */
export function State({ value, words, tone, why }: { value: string; words?: ReactNode; tone?: Tone; why?: ReactNode }) {
  const use = tone ?? toneOf(value)
  const chip = (
    <span className={styles.state} data-tone={use}>
      <Mark tone={use} size={8} />
      {words ?? wordsOf(value)}
    </span>
  )
  return why ? <Tooltip label={why}>{chip}</Tooltip> : chip
}
