/** What starts a pipeline besides a person: time, a new data version, an event. */
import { DomainError } from '#kernel/errors.ts'
import type { EventRecord } from '#kernel/events/index.ts'
import { ROLE_RIGHTS, ruleWho, type Who } from '#kernel/http/who.ts'
import type { Tx } from '#kernel/store/index.ts'
import type { PipelinesDeps } from './deps.ts'
import * as rows from './pipelines-store.ts'
import type { StartInput } from './starts.ts'

export interface Triggers {
  /** A version of a dataset may be an input now: starts what waits for it. */
  considerDataset(tx: Tx, who: Who, input: { dataset: string; version: string }): Promise<void>
  considerEvent(tx: Tx, who: Who, event: EventRecord): Promise<void>
  /** Registers cron schedules as they are now. */
  startTriggers(): Promise<void>
}

export function createTriggers(
  { store, jobs, log }: PipelinesDeps,
  start: (tx: Tx, who: Who, input: StartInput) => Promise<unknown>,
): Triggers {
  const scheduled = new Set<string>()
  /** For whom it runs: the person who applied the pipeline, with what a pipeline needs. */
  const whoOf = (pipeline: rows.Pipeline) =>
    ruleWho(
      pipeline.workspace,
      `pipeline:${pipeline.project}/${pipeline.name}`,
      ROLE_RIGHTS.editor,
      pipeline.applied_by,
    )

  /** One pipeline that cannot start (a version was deleted meanwhile) must not keep the others from it. */
  const startFor = async (tx: Tx, pipeline: rows.Pipeline, more: Pick<StartInput, 'cause' | 'inputs'>) => {
    try {
      await start(tx, whoOf(pipeline), { project: pipeline.project, pipeline: pipeline.name, ...more })
    } catch (error) {
      if (!(error instanceof DomainError) || !['invalid', 'not-found'].includes(error.problem)) throw error
      log.warn(
        { pipeline: `${pipeline.project}/${pipeline.name}`, cause: more.cause, err: error },
        'a trigger did not start it',
      )
    }
  }

  return {
    async considerDataset(tx, who, { dataset, version }) {
      const cause: rows.Cause = { kind: 'dataset', dataset, version }
      for (const pipeline of await rows.pipelinesTriggeredBy(tx, who.workspace, { dataset })) {
        if (!pipeline.spec.triggers?.some((trigger) => 'dataset' in trigger && trigger.dataset === dataset)) continue
        // Judged anew, because its checks changed, it is still no new version.
        if (await rows.wasCausedBy(tx, pipeline, cause)) continue
        const reads = Object.values(pipeline.spec.steps).some((step) =>
          Object.values(step.reads ?? {}).some((read) => 'dataset' in read && read.dataset === dataset),
        )
        await startFor(tx, pipeline, { cause, ...(reads && { inputs: { [dataset]: version } }) })
      }
    },

    async considerEvent(tx, who, event) {
      const by = event.who.kind === 'run' ? await rows.runOfStep(tx, who.workspace, event.who.id) : undefined
      for (const pipeline of await rows.pipelinesTriggeredBy(tx, who.workspace, { event: event.name })) {
        // What a pipeline's own run does must not start it again.
        if (by?.project === pipeline.project && by.pipeline === pipeline.name) continue
        if (pipeline.spec.triggers?.some((trigger) => 'event' in trigger && trigger.event === event.name))
          await startFor(tx, pipeline, { cause: { kind: 'event', event: event.name, id: event.id } })
      }
    },

    async startTriggers() {
      const wanted = new Set<string>()
      for (const pipeline of await store.read((sql) => rows.allPipelines(sql))) {
        for (const trigger of pipeline.spec.triggers ?? []) {
          if (!('cron' in trigger)) continue
          const name = `pipeline:${pipeline.workspace}/${pipeline.project}/${pipeline.name}:${trigger.cron}`
          wanted.add(name)
          if (scheduled.has(name)) continue
          scheduled.add(name)
          jobs.schedule(name, trigger.cron, async (tx, due_ms) => {
            const now = await rows.pipelineByName(tx, pipeline.workspace, pipeline.project, pipeline.name)
            if (now?.spec.triggers?.some((one) => 'cron' in one && one.cron === trigger.cron))
              await startFor(tx, now, { cause: { kind: 'cron', cron: trigger.cron, due_ms } })
          })
        }
      }
      for (const name of [...scheduled].filter((one) => !wanted.has(one))) {
        scheduled.delete(name)
        jobs.unschedule(name)
        log.info({ schedule: name }, 'a schedule was taken out')
      }
    },
  }
}
