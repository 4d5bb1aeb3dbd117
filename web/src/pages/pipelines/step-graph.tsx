import { useMemo } from 'react'
import type { PipelineSpec, StepRun } from '../../api/types.ts'
import { span } from '../../kit/format.ts'
import { Graph } from '../../kit/graph.tsx'
import { Mark, toneOf, wordsOf } from '../../kit/state.tsx'
import styles from './pipelines.module.css'

/** Steps as they wait for each other; with runs, each in its state. A step can be chosen. */
export function StepGraph({
  spec,
  runs,
  chosen,
  onPick,
}: {
  spec: PipelineSpec
  runs?: ReadonlyMap<string, StepRun>
  chosen?: string
  onPick?: (step: string) => void
}) {
  const edges = useMemo(
    () =>
      Object.entries(spec.steps).flatMap(([to, step]) => {
        const before = new Set([
          ...(step.needs ?? []),
          ...Object.values(step.reads ?? {}).flatMap((read) => (read.step ? [read.step] : [])),
        ])
        return [...before].map((from) => ({ from, to, active: runs?.get(to)?.state === 'running' }))
      }),
    [spec, runs],
  )
  const nodes = Object.entries(spec.steps).map(([name, step]) => {
    const run = runs?.get(name)
    const body = (
      <>
        <span className={styles.stepName}>
          {run && <Mark tone={toneOf(run.state)} size={10} />}
          {name}
        </span>
        <span className={styles.stepNote}>
          {run
            ? `${wordsOf(run.state)}${run.started_ms !== null && run.ended_ms !== null ? `, ${span(run.ended_ms - run.started_ms)}` : ''}`
            : step.run}
        </span>
      </>
    )
    return {
      id: name,
      body: onPick ? (
        <button
          type="button"
          className={styles.step}
          aria-pressed={name === chosen}
          data-state={run?.state}
          onClick={() => onPick(name)}
        >
          {body}
        </button>
      ) : (
        <div className={styles.step} title={step.run}>
          {body}
        </div>
      ),
    }
  })
  return <Graph label="Steps" nodes={nodes} edges={edges} />
}
