/** TensorBoard's event files, sent as they grow: each byte is taken in once. */
import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { Blobs } from '#kernel/blobs/index.ts'
import { invalid } from '#kernel/errors.ts'
import type { Routes } from '#kernel/http/index.ts'
import type { Store } from '#kernel/store/index.ts'
import type { Tracking } from '#slices/tracking'
import { RECORD_BYTES_MAX } from './records.ts'
import { readStretches } from './take.ts'

/** Of one request: the largest record fits, with its frame. */
export const PART_BYTES_MAX = RECORD_BYTES_MAX + 1024

const FileQuery = Type.Object({
  experiment: Type.String({ minLength: 1, maxLength: 500, description: 'Name; made when there is none.' }),
  folder: Type.String({
    minLength: 1,
    maxLength: 500,
    description: 'Below the log folder, `.` for itself: names the run.',
  }),
  file: Type.String({ minLength: 1, maxLength: 250 }),
  from: Type.Integer({ minimum: 0, description: 'Where the bytes begin in the file.' }),
})

const Taken = Type.Object({
  run_id: Type.String(),
  taken_bytes: Type.Integer({ description: 'Of the file: send those behind next.' }),
  points: Type.Integer(),
  records: Type.Integer(),
  passed_over: Type.Record(Type.String(), Type.Integer(), { description: 'Values of kinds that are not taken in.' }),
  damage: Type.Optional(Type.String({ description: 'Why the file is read no further.' })),
})

export async function tensorboard(
  app: FastifyInstance,
  {
    routes,
    store,
    tracking,
    blobs,
  }: {
    routes: Pick<Routes, 'route'>
    store: Pick<Store, 'read' | 'write'>
    tracking: Pick<Tracking, 'boards'>
    blobs: Pick<Blobs, 'put'>
  },
): Promise<void> {
  const { route } = routes
  const { boards } = tracking
  route(app, {
    method: 'GET',
    path: '/api/slipway/v1/tensorboard/files',
    may: 'tracking.read',
    summary: 'Event files of an experiment, as far as they are taken in',
    query: Type.Object({ experiment: Type.String({ minLength: 1, maxLength: 500 }) }),
    reply: Type.Object({
      items: Type.Array(
        Type.Object({
          folder: Type.String(),
          file: Type.String(),
          run_id: Type.String(),
          taken_bytes: Type.Integer(),
          damage: Type.Union([Type.String(), Type.Null()]),
        }),
      ),
    }),
    read: async ({ sql, who, query }) => ({ items: await boards.sources(sql, who.workspace, query.experiment) }),
  })
  route(app, {
    method: 'POST',
    path: '/api/slipway/v1/tensorboard/finish',
    may: 'tracking.write',
    summary: 'End the run of a folder of which no more is expected',
    body: Type.Object(
      {
        experiment: Type.String({ minLength: 1, maxLength: 500 }),
        folder: Type.String({ minLength: 1, maxLength: 500 }),
      },
      { additionalProperties: false },
    ),
    reply: Type.Object({}),
    change: async ({ tx, who, body }) => {
      await boards.finish(tx, who, body)
      return {}
    },
  })
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
  route(app, {
    method: 'PUT',
    path: '/api/slipway/v1/tensorboard/files',
    may: 'tracking.write',
    summary: 'Send the next bytes of an event file; whole records are taken in, the rest waits for its end',
    query: FileQuery,
    reply: Taken,
    body_bytes_max: PART_BYTES_MAX,
    handle: async ({ who, query, request }) => {
      if (!Buffer.isBuffer(request.body))
        throw invalid('the body has to be bytes of the file', { remedy: 'Send it as application/octet-stream.' })
      const { from, ...file } = query
      const place = await store.read((sql) => boards.place(sql, who.workspace, file))
      const answer = {
        run_id: place?.run_id ?? '',
        taken_bytes: place?.taken_bytes ?? 0,
        points: 0,
        records: 0,
        passed_over: Object.create(null) as Record<string, number>,
        ...(place?.damage && { damage: place.damage }),
      }
      if (answer.taken_bytes !== from || place?.damage) return answer
      for (const { images, passed_over, ...stretch } of readStretches(request.body, from, place?.memory ?? '')) {
        for (const { digest, bytes } of images) await blobs.put(bytes, { expect: digest })
        const taken = await store.write((tx) => boards.append(tx, who, { ...file, ...stretch }))
        answer.run_id = taken.run_id
        answer.taken_bytes = taken.taken_bytes
        // Somebody else sends the same file, and was faster.
        if (taken.taken_bytes !== stretch.to) return answer
        answer.points += stretch.metrics.length
        answer.records += stretch.records.length
        for (const [kind, count] of Object.entries(passed_over))
          answer.passed_over[kind] = (answer.passed_over[kind] ?? 0) + count
        if (stretch.damage !== undefined) return { ...answer, damage: stretch.damage }
      }
      return answer
    },
  })
}
