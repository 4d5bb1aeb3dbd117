/** The preparation of a model version: scanned, loaded once in its own clean environment, compiled where that is proven equal. */
import { mkdir, open, readFile, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { DomainError } from '#kernel/errors.ts'
import type { Who } from '#kernel/http/who.ts'
import type { Sql, Tx } from '#kernel/store/index.ts'
import type { ServingDeps } from './deps.ts'
import { versionPrepared } from './events.ts'
import type { Loader } from './loader.ts'
import { startTool } from './python-tool.ts'
import type { Report } from './runtimes/runtime.ts'
import * as rows from './serving-store.ts'

const TIMEOUT_MS = 10 * 60_000
const MEMORY_BYTES = 6 * 1024 ** 3
const REPORT_BYTES_MAX = 4 * 1024 ** 2

interface PrepareInput {
  model: string
  version: number
}

export interface Preparations {
  /** Asks for the preparation of a version; asking while one runs answers that one. */
  prepare(tx: Tx, who: Who, model: string, version: number): Promise<void>
  preparation(sql: Sql, workspace: string, model: string, version: number): Promise<rows.Preparation | undefined>
  /** Parquet or CSV rows to prove a compiled form on, in place of training data that is not here; prepares again. */
  attachRows(tx: Tx, who: Who, model: string, version: number, digest: string): Promise<void>
}

export function createPreparations(
  deps: ServingDeps,
  loader: Loader,
  wake: () => void,
  toolPins: readonly string[],
): Preparations {
  const { store, events, jobs, clock, blobs, settings } = deps

  const finish = async (
    tx: Tx,
    who: Who,
    known: rows.Preparation,
    outcome: Pick<rows.Preparation, 'state' | 'form' | 'reason' | 'report' | 'compiled_digest'>,
  ): Promise<void> => {
    // Asked for again meanwhile, with other rows: that one's outcome counts.
    const now = await rows.preparationOfVersion(tx, known.workspace, known.model, known.version)
    if (now?.job !== known.job) return
    await rows.putPreparation(tx, { ...known, ...outcome, ended_ms: clock.now() })
    await events.record(tx, versionPrepared, {
      who,
      subject: { kind: 'model-version', id: `${known.model}/${known.version}` },
      after: {
        model: known.model,
        version: known.version,
        ok: outcome.state === 'done',
        form: outcome.form,
        reason: outcome.reason,
      },
    })
    tx.afterCommit(wake)
  }

  jobs.define<PrepareInput, { form: string | null; reason: string }>({
    kind: 'serving.prepare',
    attempts_max: 3,
    timeout_ms: TIMEOUT_MS,
    concurrency: 1,
    async run(job, context) {
      const { workspace, who, input } = job
      const [known, version] = await store.read(
        async (sql) =>
          [
            await rows.preparationOfVersion(sql, workspace, input.model, input.version),
            await deps.versionFiles(sql, workspace, input.model, input.version),
          ] as const,
      )
      if (known?.job !== job.id) return { form: null, reason: 'nothing asks for it any more' }
      if (!version) {
        await context.write((tx) =>
          finish(tx, who, known, {
            state: 'failed',
            form: null,
            reason: 'the version was deleted',
            report: null,
            compiled_digest: null,
          }),
        )
        return { form: null, reason: 'the version was deleted' }
      }
      const out = join(settings.dir, 'cache', 'prepare', job.id)
      await rm(out, { recursive: true, force: true })
      await mkdir(out, { recursive: true, mode: 0o700 })
      try {
        context.progress(0.1, 'making the environment')
        const environment = await loader.environmentOf(workspace, version, toolPins, context.signal)
        const dir = await loader.materialise(version)
        const attached = await store.read((sql) => rows.attachedRows(sql, workspace, input.model, input.version))
        const parity = attached
          ? await blobs.lend(attached)
          : await deps.trainingRows(workspace, input.model, input.version)
        try {
          const rowsPath = parity && (await nameRows(parity.path, out))
          context.progress(0.4, 'loading, compiling, comparing')
          const { process, tail } = await startTool(deps, {
            environment,
            module: 'slipway.prepare',
            args: ['--model', dir, '--out', out, ...(rowsPath ? ['--rows', rowsPath] : [])],
            limits: { memory_bytes: MEMORY_BYTES, wall_ms: TIMEOUT_MS },
            signal: context.signal,
          })
          const end = await process.ended
          if (end.reason === 'cancelled') throw new DomainError('unavailable', 'the preparation was stopped')
          const report = await readReport(join(out, 'report.json'))
          if (!report) {
            const reason = `it could not be loaded in its own environment (${end.reason}${end.code === null ? '' : ` ${end.code}`}): ${tail()}`
            await context.write((tx) =>
              finish(tx, who, known, { state: 'failed', form: null, reason, report: null, compiled_digest: null }),
            )
            return { form: null, reason }
          }
          const failed = report.form === 'none'
          const compiled = report.form === 'onnx' && !failed ? await blobs.putFile(join(out, 'model.onnx')) : undefined
          await context.write((tx) =>
            finish(tx, who, known, {
              state: failed ? 'failed' : 'done',
              form: report.form === 'none' ? null : report.form,
              reason: report.reason ?? 'compiled; the forms agree',
              report,
              compiled_digest: compiled?.digest ?? null,
            }),
          )
          return { form: report.form, reason: report.reason ?? 'compiled' }
        } finally {
          await parity?.done()
        }
      } finally {
        await rm(out, { recursive: true, force: true })
      }
    },
    async onGivenUp(tx, job) {
      const known = await rows.preparationOfVersion(tx, job.workspace, job.input.model, job.input.version)
      if (known?.state === 'waiting' && known.job === job.id)
        await finish(tx, job.who, known, {
          state: 'failed',
          form: null,
          reason: job.error?.message ?? 'the preparation was given up',
          report: null,
          compiled_digest: null,
        })
    },
  })

  const ask = async (tx: Tx, who: Who, model: string, version: number, key: string): Promise<void> => {
    const job = await jobs.enqueue<PrepareInput>(tx, {
      kind: 'serving.prepare',
      workspace: who.workspace,
      who,
      input: { model, version },
      key,
      subject: { kind: 'model-version', id: `${model}/${version}` },
    })
    await rows.putPreparation(tx, {
      workspace: who.workspace,
      model,
      version,
      state: 'waiting',
      form: null,
      reason: 'it is being prepared',
      report: null,
      compiled_digest: null,
      job,
      created_ms: clock.now(),
      ended_ms: null,
    })
  }

  return {
    prepare: (tx, who, model, version) => ask(tx, who, model, version, `prepare:${model}/${version}`),
    preparation: rows.preparationOfVersion,
    async attachRows(tx, who, model, version, digest) {
      await rows.putAttachedRows(tx, who.workspace, model, version, digest, clock.now())
      // Another key: a preparation that is under way has begun without these rows.
      await ask(tx, who, model, version, `prepare:${model}/${version}:${digest}`)
    },
  }
}

/** Lent bytes have no ending; the tool tells CSV from Parquet by one. */
export async function nameRows(path: string, dir: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0)
    const named = join(dir, buffer.toString('latin1') === 'PAR1' ? 'rows.parquet' : 'rows.csv')
    await symlink(path, named)
    return named
  } finally {
    await file.close()
  }
}

async function readReport(path: string): Promise<Report | undefined> {
  const facts = await stat(path).catch(() => undefined)
  if (!facts || facts.size > REPORT_BYTES_MAX) return undefined
  return JSON.parse(await readFile(path, 'utf8')) as Report
}
