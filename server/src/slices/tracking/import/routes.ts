import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { invalid } from '#kernel/errors.ts'
import type { Routes } from '#kernel/http/index.ts'
import type { Store } from '#kernel/store/index.ts'
import type { Integer } from '../model.ts'
import type { Tracking } from '../tracking.ts'
import { importExperiment } from './experiments.ts'
import { putMarks, readMarks } from './marks.ts'
import { IMPORT_LIMITS, type Mark, type RunState } from './model.ts'
import * as schema from './schema.ts'

const API = '/api/slipway/v1/imports'

export interface ImportRouteDeps {
  routes: Pick<Routes, 'route'>
  store: Pick<Store, 'command'>
  tracking: Tracking
}

/** Integers beyond 2^53 and values that are no numbers come as text. */
const integer = (value: number | string): Integer => {
  if (typeof value === 'number') return value
  const whole = BigInt(value)
  if (BigInt.asIntN(64, whole) !== whole) throw invalid(`${value} is no 64-bit integer`)
  return whole
}
const number = (value: number | string): number => (typeof value === 'string' ? Number(value) : value)
const integers = (values: (number | string)[]): Integer[] =>
  values.some((each) => typeof each === 'string') ? values.map(integer) : (values as number[])
const numbers = (values: (number | string)[]): number[] =>
  values.some((each) => typeof each === 'string') ? values.map(number) : (values as number[])

/** The door for what other systems hold: everything that comes in by it can come again, and changes nothing then. */
export function importRoutes(app: FastifyInstance, deps: ImportRouteDeps): void {
  markRoutes(app, deps)
  partRoutes(app, deps)
  pointRoutes(app, deps)
}

function markRoutes(app: FastifyInstance, { routes, tracking }: ImportRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'GET',
    path: `${API}/marks`,
    may: 'tracking.read',
    summary: 'How far a source is taken in',
    query: schema.MarksQuery,
    reply: schema.MarksReply,
    read: async ({ sql, who, query }) => {
      const limit = query.limit ?? IMPORT_LIMITS.marks
      const items = await readMarks(sql, {
        workspace: who.workspace,
        source: query.source,
        prefix: query.prefix,
        limit,
        ...(query.after !== undefined && { after: query.after }),
      })
      return { items, ...(items.length === limit && { next_after: (items.at(-1) as Mark).item }) }
    },
  })
  route(app, {
    method: 'PUT',
    path: `${API}/marks`,
    may: 'tracking.write',
    summary: 'Note how far a source is taken in',
    body: schema.MarksBody,
    reply: Type.Object({}),
    body_bytes_max: 8 << 20,
    change: async ({ tx, who, body }) => {
      await putMarks(tx, { workspace: who.workspace, ...body })
      return {}
    },
  })
  route(app, {
    method: 'PUT',
    path: `${API}/experiments`,
    may: 'tracking.write',
    summary: "Take in an experiment; one of the same name that is here becomes the source's",
    body: schema.ExperimentBody,
    reply: schema.ExperimentReply,
    change: ({ tx, who, body }) => importExperiment(tracking, tx, who, body),
  })
  route(app, {
    method: 'GET',
    path: `${API}/files`,
    may: 'tracking.read',
    summary: 'All files below an artifact root of this server, with their digests',
    query: Type.Object({ uri: Type.String({ minLength: 1, maxLength: 2048 }) }),
    reply: schema.FilesReply,
    read: async ({ sql, who, query }) => {
      const items = await tracking.filesOfUri(sql, who.workspace, query.uri)
      if (!items) throw invalid('no files of this server lie there', { field: 'uri' })
      return { items }
    },
  })
}

function partRoutes(app: FastifyInstance, { routes, store, tracking }: ImportRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'PUT',
    path: `${API}/runs`,
    may: 'tracking.write',
    summary: 'Take in runs under the ids they have',
    body: schema.RunsBody,
    reply: schema.CreatedReply,
    body_bytes_max: 32 << 20,
    handle: async ({ who, body }) =>
      await store.command('tracking.importRuns', {
        ...tracking.draw.stamp(who),
        source: body.source,
        experiment_id: body.experiment_id,
        runs: body.runs.map((run) => ({
          ...run,
          models: run.models.map((model) => ({ ...model, step: integer(model.step) })),
        })),
        event_ids: body.runs.map(() => tracking.draw.stamp(who).event_id),
      }),
  })
  route(app, {
    method: 'PUT',
    path: `${API}/logged-models`,
    may: 'tracking.write',
    summary: 'Take in logged models under the ids they have',
    body: schema.ModelsBody,
    reply: schema.CreatedReply,
    body_bytes_max: 32 << 20,
    handle: async ({ who, body }) =>
      await store.command('tracking.importModels', {
        ...tracking.draw.stamp(who),
        experiment_id: body.experiment_id,
        models: body.models.map((model) => ({
          ...model,
          metrics: model.metrics.map((metric) => ({
            ...metric,
            value: number(metric.value),
            step: integer(metric.step),
            at_ms: integer(metric.at_ms),
          })),
        })),
        event_ids: body.models.map(() => tracking.draw.stamp(who).event_id),
      }),
  })
}

function pointRoutes(app: FastifyInstance, { routes, store }: ImportRouteDeps): void {
  const { route } = routes
  route(app, {
    method: 'POST',
    path: `${API}/points`,
    may: 'tracking.write',
    summary: 'Take in metric points; those that are here already are passed over',
    body: schema.PointsBody,
    reply: Type.Object({ added: Type.Integer() }),
    body_bytes_max: 4 << 20,
    handle: async ({ who, body }) => {
      let points = 0
      for (const [at, { keys, key, step, at_ms, value }] of body.parts.entries()) {
        points += value.length
        if (key.length !== value.length || step.length !== value.length || at_ms.length !== value.length)
          throw invalid('the columns are not equally long', { field: `parts[${at}]` })
        if (key.some((each) => each >= keys.length) || new Set(keys).size !== keys.length)
          throw invalid('each point names one of the keys, which are all different', { field: `parts[${at}].key` })
      }
      if (points > IMPORT_LIMITS.points)
        throw invalid(`at most ${IMPORT_LIMITS.points} points at once`, {
          field: 'parts',
          remedy: 'Send them in parts.',
        })
      return await store.command('tracking.importPoints', {
        workspace: who.workspace,
        parts: body.parts.map(({ run_id, keys, key, step, at_ms, value }) => ({
          run_id,
          keys,
          key,
          step: integers(step),
          at_ms: integers(at_ms),
          value: numbers(value),
        })),
      })
    },
  })
  route(app, {
    method: 'POST',
    path: `${API}/state`,
    may: 'tracking.read',
    summary: 'What is here of runs: counts and digests, to be compared with what a source holds',
    body: schema.StateBody,
    reply: schema.StateReply,
    ask: {
      name: 'tracking.importState',
      input: ({ who, body }) => ({ workspace: who.workspace, ...body }),
      answer: (items: RunState[]) => ({ items }),
    },
  })
}
