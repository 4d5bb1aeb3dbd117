import {
  IconActivityHeartbeat,
  IconDatabase,
  IconFlask2,
  IconGitMerge,
  IconGitPullRequest,
  IconRefresh,
  IconRocket,
  IconTestPipe,
} from '@tabler/icons-react'
import type { Retraining, Stage, StageState } from '../../api/types.ts'
import { A } from '../../kit/link.tsx'
import { Mark, type Tone, wordsOf } from '../../kit/state.tsx'
import { Time } from '../../kit/time.tsx'
import { plainWords } from '../../kit/words.tsx'
import { pathOfSubject, paths } from '../../paths.ts'
import styles from './loop.module.css'

const ICONS: Record<string, typeof IconRocket> = {
  Source: IconGitPullRequest,
  Prepare: IconDatabase,
  Build: IconFlask2,
  Test: IconTestPipe,
  Merge: IconGitMerge,
  Deploy: IconRocket,
  Monitor: IconActivityHeartbeat,
  Retrain: IconRefresh,
}
const ABOUT: Record<string, string> = {
  Source: 'code and project',
  Prepare: 'data and checks',
  Build: 'training',
  Test: 'the gate',
  Merge: 'review',
  Deploy: 'rollout',
  Monitor: 'quality and drift',
  Retrain: 'back to the data',
}
const TONE: Record<StageState, Tone> = {
  ok: 'ok',
  running: 'run',
  failed: 'bad',
  waiting: 'wait',
  'not-applicable': 'idle',
}

interface Stop {
  name: string
  state: StageState
  words: string
  since_ms: number | null
  href: string | undefined
}

/** Where on the track each stop lies, in hundredths of the picture; the first four above, the way back below. */
const PLACES = [
  [15, 0],
  [38.5, 0],
  [61.5, 0],
  [85, 0],
  [85, 1],
  [61.5, 1],
  [38.5, 1],
  [15, 1],
] as const
const TRACK = 'M 120 8 H 880 A 100 92 0 0 1 880 192 H 120 A 100 92 0 0 1 120 8 Z'

/** The loop as one picture: a track with seven stages and the way back, lit where something is under way. */
export function Loop({
  stages,
  retraining,
  children,
}: {
  stages: readonly Stage[]
  retraining: Retraining | undefined
  children?: React.ReactNode
}) {
  const stops: Stop[] = [
    ...stages.map(({ stage, state, words, since_ms, link }) => ({
      name: stage,
      state,
      words,
      since_ms,
      href: link ? pathOfSubject(link.kind, link.id) : undefined,
    })),
    retrainStop(retraining),
  ]
  const moving = stops.some(({ state }) => state === 'running')
  return (
    <figure className={styles.loop} aria-label="The loop from source to monitor and back">
      <svg viewBox="0 0 1000 200" preserveAspectRatio="none" className={styles.track} aria-hidden="true">
        <path d={TRACK} className={styles.bed} vectorEffect="non-scaling-stroke" />
        <path d={TRACK} className={styles.stream} data-moving={moving || undefined} vectorEffect="non-scaling-stroke" />
      </svg>
      <ol className={styles.stops}>
        {stops.map((stop, at) => (
          <li
            key={stop.name}
            style={{ '--x': `${PLACES[at]![0]}%` } as React.CSSProperties}
            data-below={PLACES[at]![1] === 1 || undefined}
            data-state={stop.state}
          >
            <StopMark stop={stop} />
          </li>
        ))}
      </ol>
      {children && <div className={styles.centre}>{children}</div>}
    </figure>
  )
}

function StopMark({ stop: { name, state, words, since_ms, href } }: { stop: Stop }) {
  const Icon = ICONS[name]!
  const content = (
    <>
      <span className={styles.buoy} data-state={state}>
        <Icon size={19} stroke={1.7} />
        <span className={styles.mark}>
          <Mark tone={TONE[state]} size={11} />
        </span>
      </span>
      <span className={styles.text}>
        <span className={styles.name}>
          {name} <span className={styles.about}>{ABOUT[name]}</span>
        </span>
        <span className={styles.words}>{plainWords(words) || wordsOf(state)}</span>
        {since_ms !== null && state !== 'not-applicable' && (
          <span className={styles.since}>
            <Time at={since_ms} />
          </span>
        )}
      </span>
      <span className="sr">, {wordsOf(state)}</span>
    </>
  )
  return href ? (
    <A href={href} className={styles.stop}>
      {content}
    </A>
  ) : (
    <div className={styles.stop}>{content}</div>
  )
}

function retrainStop(last: Retraining | undefined): Stop {
  if (!last) return { name: 'Retrain', state: 'not-applicable', words: 'none yet', since_ms: null, href: undefined }
  const under = last.state === 'collecting' || last.state === 'training'
  const state: StageState = under
    ? 'running'
    : last.state === 'failed'
      ? 'failed'
      : last.state === 'skipped'
        ? 'waiting'
        : 'ok'
  const words =
    last.state === 'collecting'
      ? `${last.alert}: gathering what was served`
      : last.state === 'training'
        ? `${last.alert}: training`
        : last.state === 'skipped'
          ? (last.reason ?? 'held back')
          : `after ${last.alert}`
  return {
    name: 'Retrain',
    state,
    words,
    since_ms: last.ended_ms ?? last.created_ms,
    href: last.release_id ? paths.release(last.release_id) : paths.retrainings({ endpoint: last.endpoint }),
  }
}
